// What the tests of media/ share: predictable random bytes, throw-away directories, small releases.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "media/vault.h"

namespace usher::media::test {

inline Bytes noise(std::size_t size, std::uint8_t seed = 1) {
  Bytes out(size);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::uint8_t& byte : out) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return out;
}

inline crypto::Secret secret(std::string_view text) { return crypto::Secret::copy_of(view_of(text)); }
inline crypto::Secret vault_key(std::uint8_t fill = 7) { return crypto::Secret::copy_of(Bytes(kKekSize, fill)); }
inline constexpr crypto::ScryptCost kCheap{.log2_n = 4, .r = 8, .p = 1};

inline const crypto::PrivateKey& p256_key() {
  static const crypto::PrivateKey key = *crypto::PrivateKey::generate(crypto::NewKey::p256);
  return key;
}
inline const crypto::PrivateKey& rsa_key() {
  static const crypto::PrivateKey key = *crypto::PrivateKey::generate(crypto::NewKey::rsa2048);
  return key;
}
/// The distributor's: another one.
inline const crypto::PrivateKey& distributor_key() {
  static const crypto::PrivateKey key = *crypto::PrivateKey::generate(crypto::NewKey::p256);
  return key;
}

/// In memory if possible: the vault syncs its files, and a disk is slow.
class Directory {
 public:
  /// `room`: bytes that it is to hold.
  explicit Directory(std::uintmax_t room = 32 << 20) {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    const bool usable =
        ::access(memory.c_str(), W_OK | X_OK) == 0 && std::filesystem::space(memory, none).available / 2 > room;
    std::string name = ((usable ? memory : std::filesystem::temp_directory_path()) / "usher-media-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path)) out.push_back(entry.path().filename().string());
    return out;
  }
  std::filesystem::path path;
};

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::filesystem::path& path, View bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Checks are valid in every field; `seed` makes media and ids differ.
inline Manifest manifest_of(const Source& media, std::uint32_t chunk_size = kMinChunkSize, std::uint8_t seed = 1) {
  Manifest out;
  out.medium.fill(seed);
  out.object.fill(static_cast<std::uint8_t>(seed + 100));
  out.title = "Awakening";
  out.artist = "Max McLaughlin";
  out.album = "Endgame: Singularity";
  out.description = "Ein Stück mit Umlaut: ü.";
  out.media_type = "audio/ogg";
  out.duration_ms = 169'000;
  out.size = media.size();
  out.chunk_size = chunk_size;
  out.chunks = static_cast<std::uint32_t>(chunks_of(out.size, chunk_size));
  out.root = *root_of(media, chunk_size);
  out.seconds = wire::even_seconds(out.chunks, Milliseconds(out.duration_ms));
  out.pressed_at = 1'700'000'000;
  out.distributor = "Test Records";
  return out;
}

/// The manifest of a medium with a cover.
inline Manifest with_cover(Manifest manifest, View cover) {
  Part part{.kind = PartKind::cover,
            .size = static_cast<std::uint32_t>(cover.size()),
            .hash = crypto::sha256(cover),
            .object = {}};
  part.object.fill(static_cast<std::uint8_t>(manifest.medium[0] + 50));
  manifest.parts.push_back(part);
  return manifest;
}

inline SignedManifest sign(const Manifest& manifest) {
  return *SignedManifest::sign(manifest, distributor_key(), {Bytes{0x30, 1, 0}});
}

/// A release of `media` for `recipient`, with the plaintexts of the manifest's parts.
inline Bytes release_of(const Source& media, const Manifest& manifest,
                        const crypto::PublicKey& recipient = p256_key().public_key(),
                        const std::vector<Bytes>& parts = {}) {
  crypto::SystemRandom random;
  MemorySink sink;
  const auto written =
      write_release(sign(manifest), media, PublicKeyWrapper(recipient), sink, random, {}, Suite::aes256_gcm, parts);
  EXPECT_TRUE(written) << explain(written.error());
  return sink.bytes;
}
inline Bytes release_of(const Source& media) { return release_of(media, manifest_of(media)); }

template <class T>
void expect_fault(const Result<T>& result, Fault fault) {
  ASSERT_FALSE(result) << "expected " << code_of(fault);
  EXPECT_EQ(code_of(result.error().fault), code_of(fault)) << explain(result.error()) << " at " << result.error().where;
}
template <class T>
void expect_fault(const Result<T>& result, Fault fault, std::string_view about) {
  expect_fault(result, fault);
  if (result) return;
  EXPECT_NE(result.error().about.find(about), std::string::npos) << result.error().about;
}

}  // namespace usher::media::test
