// Media: the cost of sealing, opening and proving a chunk of 64 KiB, compared with the primitives in it.
// Links: media
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>

#include "crypto/cipher.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "media/vault.h"

namespace {

using namespace usher;

constexpr std::size_t kChunk = media::kDefaultChunkSize;
constexpr std::uint64_t kChunks = 256;  // 16 MiB

crypto::Secret key_of(std::uint8_t fill) { return crypto::Secret::copy_of(Bytes(32, fill)); }

void count(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kChunk));
}

void raw_gcm_open(benchmark::State& state) {
  const Bytes key(32, 1);
  const Bytes nonce(crypto::kAeadNonceSize, 2);
  Bytes sealed(kChunk + crypto::kAeadTagSize);
  crypto::aead_seal(crypto::Cipher::aes256_gcm, key, nonce, {}, Bytes(kChunk), sealed);
  Bytes out(kChunk);
  while (state.KeepRunning()) {
    if (!crypto::aead_open(crypto::Cipher::aes256_gcm, key, nonce, {}, sealed, out)) state.SkipWithError("open");
  }
  count(state);
}
BENCHMARK(raw_gcm_open);

void raw_sha256(benchmark::State& state) {
  const Bytes chunk(kChunk);
  while (state.KeepRunning()) benchmark::DoNotOptimize(crypto::sha256(chunk));
  count(state);
}
BENCHMARK(raw_sha256);

void sealed_write(benchmark::State& state) {
  class Nowhere final : public media::Sink {
   public:
    Result<> write(View bytes) override {
      benchmark::DoNotOptimize(bytes.data());
      return {};
    }
  };
  crypto::SystemRandom random;
  const media::Kek kek(key_of(3));
  Nowhere sink;
  const Bytes chunk(kChunk);
  const auto suite = static_cast<media::Suite>(state.range(0));
  auto writer = media::SealWriter::begin({.suite = suite, .total = media::kMaxChunks * kChunk}, {&kek}, sink, random);
  while (state.KeepRunning()) {
    if (!writer->write(chunk)) state.SkipWithError("write");
  }
  count(state);
}
BENCHMARK(sealed_write)->Arg(1)->Arg(2);

void sealed_read(benchmark::State& state) {
  crypto::SystemRandom random;
  const media::Kek kek(key_of(3));
  media::MemorySink sink;
  const auto suite = static_cast<media::Suite>(state.range(0));
  auto writer = media::SealWriter::begin({.suite = suite, .total = kChunks * kChunk}, {&kek}, sink, random);
  for (std::uint64_t i = 0; i < kChunks; ++i) {
    if (!writer->write(Bytes(kChunk))) state.SkipWithError("write");
  }
  const auto object = media::SealedObject::open(media::memory_source(std::move(sink.bytes)), {}, kek);
  std::uint64_t next = 0;
  while (state.KeepRunning()) benchmark::DoNotOptimize(object->read_chunk(next++ % kChunks));
  count(state);
}
BENCHMARK(sealed_read)->Arg(1)->Arg(2);

/// A medium in its own vault, made once.
const media::MediumReader& stored() {
  static const auto kMedium = [] {
    std::string directory = (std::filesystem::temp_directory_path() / "usher-bench-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) std::abort();
    crypto::SystemRandom random;
    const auto key = *crypto::PrivateKey::generate(crypto::NewKey::p256);
    const auto source = media::memory_source(Bytes(kChunks * kChunk, 5));
    media::Manifest manifest;
    manifest.title = manifest.distributor = "bench";
    manifest.media_type = "audio/ogg";
    manifest.size = source->size();
    manifest.chunks = kChunks;
    manifest.duration_ms = 512'000;  // chunks of two seconds
    manifest.seconds = wire::even_seconds(manifest.chunks, Milliseconds(manifest.duration_ms));
    manifest.root = *media::root_of(*source, manifest.chunk_size);
    const auto signed_manifest = *media::SignedManifest::sign(manifest, key, {Bytes{1}});
    media::MemorySink release;
    const media::PublicKeyWrapper recipient(key.public_key());
    if (!media::write_release(signed_manifest, *source, recipient, release, random)) std::abort();
    const auto vault = *media::Vault::open(std::filesystem::path(directory) / "vault", key_of(6), random);
    const auto trusted = [](const media::SignedManifest&) -> Result<> { return {}; };
    if (!vault.import(media::memory_source(std::move(release.bytes)), media::PrivateKeyUnwrapper(key), trusted)) {
      std::abort();
    }
    auto medium = *vault.open_medium(manifest.medium);
    std::filesystem::remove_all(directory);  // an open medium stays readable
    return medium;
  }();
  return *kMedium;
}

void vault_chunk_with_proof(benchmark::State& state) {
  const media::MediumReader& medium = stored();
  std::uint64_t next = static_cast<std::uint64_t>(state.thread_index()) * 37;
  while (state.KeepRunning()) benchmark::DoNotOptimize(medium.read_chunk(next++ % kChunks));
  count(state);
}
BENCHMARK(vault_chunk_with_proof)->Threads(1)->Threads(2);

void chunk_verified_by_a_listener(benchmark::State& state) {
  const media::MediumReader& medium = stored();
  const auto chunk = *medium.read_chunk(kChunks / 3);
  const media::Manifest& manifest = medium.manifest();
  while (state.KeepRunning()) {
    const Hash256 leaf = media::leaf_hash(chunk.plaintext.expose());
    if (!media::verify_inclusion(leaf, kChunks / 3, manifest.chunks, chunk.proof, manifest.root)) {
      state.SkipWithError("proof");
    }
  }
  count(state);
}
BENCHMARK(chunk_verified_by_a_listener);

}  // namespace
