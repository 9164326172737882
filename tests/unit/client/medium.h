// A medium in memory with its tree: what a server would have.
#pragma once

#include <fstream>
#include <iterator>

#include "client/play/fetcher.h"
#include "media/merkle.h"

namespace usher::test {

struct TestMedium {
  Bytes bytes;
  media::Manifest manifest;
  media::MerkleTree tree;

  explicit TestMedium(Bytes content, std::uint32_t chunk_size = 4096, std::uint64_t duration_ms = 60'000)
      : bytes(std::move(content)) {
    manifest.medium = {7};
    manifest.title = "A test";
    manifest.media_type = "audio/ogg";
    manifest.distributor = "Test";
    manifest.duration_ms = duration_ms;
    manifest.size = bytes.size();
    manifest.chunk_size = chunk_size;
    manifest.chunks = static_cast<std::uint32_t>((bytes.size() + chunk_size - 1) / chunk_size);
    manifest.seconds = wire::even_seconds(manifest.chunks, Milliseconds(duration_ms));
    for (std::uint32_t i = 0; i < manifest.chunks; ++i) tree.add(media::leaf_hash(chunk(i)));
    manifest.root = tree.root();
  }
  [[nodiscard]] View chunk(std::uint32_t number) const {
    const std::size_t from = std::size_t{number} * manifest.chunk_size;
    return View(bytes).subspan(from, std::min<std::size_t>(manifest.chunk_size, bytes.size() - from));
  }
  [[nodiscard]] wire::ChunkBody body(std::uint32_t number) const {
    return {.proof = *tree.proof(number), .chunk = to_bytes(chunk(number))};
  }
  [[nodiscard]] client::GetChunk getter() const {
    return [this](std::uint32_t number, const std::atomic<bool>&) -> Result<wire::ChunkBody> { return body(number); };
  }
};

/// A server's message about the state of a play with a threshold of 30 s.
inline wire::Opened standing(std::uint32_t free_left, wire::ChunkRanges heard = {}, std::uint32_t repeats_left = 176) {
  return {.plays_left = 3,
          .commit_after = 30,
          .free_left = free_left,
          .repeats_left = repeats_left,
          .heard = std::move(heard),
          .signed_manifest = {}};
}
inline wire::Opened committed(std::uint32_t repeats_left = 176) {
  wire::Opened opened = standing(0, {}, repeats_left);
  opened.committed = true;
  return opened;
}

inline Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return bytes;
}

inline Bytes file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace usher::test
