#include "channel/key_schedule.h"

#include <string>

#include "crypto/kdf.h"
#include "wire/codec.h"

namespace usher::channel {
namespace {

constexpr std::string_view kPrefix = "usher/1 ";
constexpr std::string_view kExporterPrefix = "usher/1 exporter ";
constexpr std::string_view kChunkLabel = "usher/1 chunk key";
constexpr std::size_t kIvSize = 12;        // bytes
constexpr std::size_t kExportedSize = 32;  // bytes
constexpr std::uint8_t kZero = 0;
constexpr View kEnd{&kZero, 1};

}  // namespace

crypto::Secret expand_label(const crypto::HmacKey& prk, std::string_view label, View transcript_hash,
                            std::size_t size) {
  return crypto::hkdf_expand(prk, {view_of(kPrefix), view_of(label), kEnd, transcript_hash}, size);
}

KeySchedule::KeySchedule(const Suite& suite, const wire::ChannelRandom& client_random,
                         const wire::ChannelRandom& server_random, crypto::Secret shared)
    : suite_(&suite),
      prk_(suite.digest, crypto::hkdf_extract(suite.digest, concat({client_random, server_random}), shared.expose())) {}

DirectionKeys KeySchedule::direction(std::string_view prefix, View hash) const {
  const auto derive = [&](std::string_view what, std::size_t size) {
    return expand_label(prk_, std::string(prefix).append(what), hash, size);
  };
  DirectionKeys keys;
  keys.key = derive(" key", suite_->key_size());
  if (!suite_->aead()) keys.mac_key = derive(" mac key", suite_->digest_size());
  if (suite_->counts_nonces()) keys.iv = derive(" iv", kIvSize);
  return keys;
}

DirectionKeys KeySchedule::handshake(View hash) const { return direction("handshake", hash); }

TrafficKeys KeySchedule::traffic(const PeerVerified& /*peer*/, View hash) const {
  const auto derive = [&](std::string_view label) { return expand_label(prk_, label, hash, suite_->digest_size()); };
  return {.client_write = direction("client write", hash),
          .server_write = direction("server write", hash),
          .chunk_secret = derive("chunk secret"),
          .client_finished_key = derive("client finished"),
          .server_finished_key = derive("server finished")};
}

crypto::Secret KeySchedule::exporter_secret(const FinishVerified& /*finish*/, View hash) && {
  const crypto::HmacKey prk = std::move(prk_);
  return expand_label(prk, "exporter", hash, suite_->digest_size());
}

Hash256 exported(const Suite& suite, const crypto::Secret& exporter_secret, std::string_view label) {
  const crypto::Secret value = crypto::hkdf_expand(suite.digest, exporter_secret,
                                                   {view_of(kExporterPrefix), view_of(label), kEnd}, kExportedSize);
  return array_of<kExportedSize>(value.expose());
}

ChunkIds ChunkIds::of_body(View body) noexcept {
  const auto chunk = wire::Chunk::decode(body);
  return chunk ? ChunkIds{chunk->play, chunk->medium, chunk->chunk} : ChunkIds{};
}

ChunkKeys::ChunkKeys(const Suite& suite, const crypto::Secret& chunk_secret)
    : suite_(&suite), secret_(suite.digest, chunk_secret) {}

crypto::Secret ChunkKeys::key(const ChunkIds& ids, std::uint64_t sequence) const {
  wire::Writer numbers;
  numbers.u32(ids.chunk).u64(sequence);
  return crypto::hkdf_expand(secret_, {view_of(kChunkLabel), kEnd, ids.play, ids.medium, numbers.bytes()},
                             suite_->key_size());
}

}  // namespace usher::channel
