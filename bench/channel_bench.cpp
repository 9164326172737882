// Links: channel
//
// The channel's cost compared with the cost of its parts. Records and chunk responses of 64 KiB are compared with
// OpenSSL's own primitives (contexts set up once), handshakes with the sum of their signatures, verifications and key
// agreements.
// Counters: bytes_per_second of payload.
#include <benchmark/benchmark.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "channel/retry.h"
#include "unit/channel/world.h"

namespace usher::channel::test {
namespace {

constexpr std::size_t kChunk = 65'536;  // bytes
constexpr std::size_t kBatch = 64;      // records prepared together, outside of the measured time

void count(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kChunk));
}

const char* ossl_name(crypto::Cipher cipher) {
  switch (cipher) {
    case crypto::Cipher::aes128_gcm:
      return "AES-128-GCM";
    case crypto::Cipher::aes256_gcm:
      return "AES-256-GCM";
    case crypto::Cipher::chacha20_poly1305:
      return "ChaCha20-Poly1305";
    case crypto::Cipher::aes128_cbc:
      return "AES-128-CBC";
    case crypto::Cipher::aes256_cbc:
      return "AES-256-CBC";
    case crypto::Cipher::aes128_cfb:
      return "AES-128-CFB";
    case crypto::Cipher::aes256_cfb:
      return "AES-256-CFB";
    case crypto::Cipher::chacha20:
      return "ChaCha20";
    default:
      return "";
  }
}

/// OpenSSL alone: one context for the cipher and one for the MAC, a new IV for each record.
class Primitives {
 public:
  explicit Primitives(const Suite& suite, bool sealing)
      : suite_(suite),
        sealing_(sealing),
        cipher_(EVP_CIPHER_fetch(nullptr, ossl_name(suite.cipher), nullptr)),
        context_(EVP_CIPHER_CTX_new()) {
    EVP_CipherInit_ex2(context_.get(), cipher_.get(), Bytes(32, 7).data(), iv_.data(), sealing ? 1 : 0, nullptr);
    if (suite.aead()) return;
    EVP_CIPHER_CTX_set_padding(context_.get(), 0);
    const MacPtr hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    mac_.reset(EVP_MAC_CTX_new(hmac.get()));
    std::string digest = suite.digest == crypto::Digest::sha256 ? "SHA256" : "SHA384";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC_init(mac_.get(), Bytes(suite.digest_size(), 7).data(), suite.digest_size(), params);
  }

  void run(View in, MutableView out) {
    int written = 0;
    std::size_t mac_size = 0;
    ++iv_[4];
    EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, iv_.data(), sealing_ ? 1 : 0, nullptr);
    if (!suite_.aead() && !sealing_) authenticate(in, mac_size);
    EVP_CipherUpdate(context_.get(), out.data(), &written, in.data(), static_cast<int>(in.size()));
    if (suite_.aead() && !sealing_) {
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_.size()), tag_.data());
    }
    // The tag does not match the data that is opened here; the work is the same.
    EVP_CipherFinal_ex(context_.get(), out.data() + written, &written);
    if (suite_.aead() && sealing_) {
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_.size()), tag_.data());
    }
    if (!suite_.aead() && sealing_) authenticate(out.first(in.size()), mac_size);
  }

 private:
  using CipherPtr = crypto::Ossl<EVP_CIPHER, EVP_CIPHER_free>;
  using MacPtr = crypto::Ossl<EVP_MAC, EVP_MAC_free>;
  void authenticate(View bytes, std::size_t& size) {
    EVP_MAC_init(mac_.get(), nullptr, 0, nullptr);
    EVP_MAC_update(mac_.get(), bytes.data(), bytes.size());
    EVP_MAC_final(mac_.get(), digest_.data(), &size, digest_.size());
  }
  const Suite& suite_;
  bool sealing_;
  CipherPtr cipher_;
  crypto::CipherCtxPtr context_;
  crypto::MacCtxPtr mac_;
  std::array<std::uint8_t, 16> iv_{};
  std::array<std::uint8_t, 16> tag_{};
  std::array<std::uint8_t, 64> digest_{};
};

DirectionKeys keys_of(const Suite& suite) {
  DirectionKeys keys;
  keys.key = crypto::Secret::take(Bytes(suite.key_size(), 7));
  if (!suite.aead()) keys.mac_key = crypto::Secret::take(Bytes(suite.digest_size(), 7));
  if (suite.counts_nonces()) keys.iv = crypto::Secret::take(Bytes(12, 7));
  return keys;
}

/// Input of `size` bytes, half a page apart from `out`. If both have the same offset within their pages, the processor
/// treats loads as dependent on stores (ChaCha20 loses a third). The allocator would then decide which benchmark is
/// slow.
View input_apart_from(const std::uint8_t* out, std::size_t size) {
  constexpr std::size_t kPage = 4096;
  static const Bytes kRoom(kChunk + 2 * kPage, 1);
  const auto address = [](const std::uint8_t* at) { return reinterpret_cast<std::uintptr_t>(at) % kPage; };
  return View{kRoom}.subspan((address(out) + kPage / 2 + kPage - address(kRoom.data())) % kPage, size);
}

void primitives(benchmark::State& state, const Suite& suite, bool sealing) {
  Primitives raw(suite, sealing);
  Bytes out(kChunk + 64);
  const View in = input_apart_from(out.data(), kChunk);
  while (state.KeepRunning()) raw.run(in, out);
  count(state);
}

void record_seal(benchmark::State& state, const Suite& suite) {
  Sealer sealer(suite, {}, wire::Direction::to_client, keys_of(suite), usher::test::randomness());
  Bytes out(wire::kMaxRecord);
  const View content = input_apart_from(out.data(), kChunk - 4);
  while (state.KeepRunning()) {
    if (!sealer.seal(out, {content}, kChunk, 0)) state.SkipWithError("seal");
  }
  count(state);
}

void record_open(benchmark::State& state, const Suite& suite) {
  Sealer sealer(suite, {}, wire::Direction::to_client, keys_of(suite), usher::test::randomness());
  Opener opener(suite, {}, wire::Direction::to_client, keys_of(suite));
  const Bytes content(kChunk - 4, 1);
  std::vector<Bytes> records(kBatch);
  std::size_t next = kBatch;
  while (state.KeepRunning()) {
    if (next == kBatch) {
      state.PauseTiming();
      for (Bytes& record : records) {
        if (!sealer.seal(record, {content}, kChunk, 0)) state.SkipWithError("seal");
      }
      next = 0;
      state.ResumeTiming();
    }
    const auto opened = opener.open(records[next++], wire::Padding::response);
    if (!opened || !opened->content) state.SkipWithError("open");
  }
  count(state);
}

Bytes chunk_request() { return wire::Chunk{.play = {1}, .medium = {2}, .epoch = 1, .chunk = 4}.encode(); }

void chunk_seal(benchmark::State& state, const Suite& suite) {
  const Sessions open = connect(World::with(suite));
  const std::vector<Hash256> proof(12);
  Bytes out(wire::kMaxRecord);
  const View chunk = input_apart_from(out.data(), kChunk);
  while (state.KeepRunning()) {
    if (!open.server->seal_chunk(out, 1, {{1}, {2}, 4}, kChunk, proof, chunk)) state.SkipWithError("seal");
  }
  count(state);
}

void chunk_open(benchmark::State& state, const Suite& suite) {
  const Sessions open = connect(World::with(suite));
  const Bytes chunk(kChunk, 1);
  std::vector<Bytes> records(kBatch);
  std::vector<Response> kept;  // freeing large buffers is not measured
  kept.reserve(kBatch);
  std::size_t next = kBatch;
  while (state.KeepRunning()) {
    if (next == kBatch) {
      state.PauseTiming();
      kept.clear();
      for (Bytes& record : records) {
        const auto sealed = must(open.client->seal_request(wire::kPathDownload, {}, chunk_request()));
        const auto incoming = must(open.server->open_request(sealed.record));
        must(open.server->seal_chunk(record, incoming.sequence, *incoming.chunk, kChunk, {}, chunk));
      }
      next = 0;
      state.ResumeTiming();
    }
    auto response = open.client->open_response(std::move(records[next++]));
    if (!response) {
      state.SkipWithError("open");
      break;
    }
    kept.push_back(*std::move(response));
  }
  count(state);
}

World world_of(const Suite& suite, crypto::NewKey kind) {
  World world = World::with(suite);
  if (kind == crypto::NewKey::p256) return world;
  static const Party kServer = party(world.authority, pki::Role::server, kind);
  static const Party kClient = party(world.authority, pki::Role::client, kind);
  world.set_server(kServer);
  world.set_client(kClient);
  return world;
}

void handshake(benchmark::State& state, const Suite& suite, crypto::NewKey kind) {
  const World world = world_of(suite, kind);
  while (state.KeepRunning()) benchmark::DoNotOptimize(connect(world).server.get());
}

/// Both sides' key pairs and key agreements, the two proofs and their verification, and the signatures that path
/// validation verifies: two leaf certificates, and the CRL twice, by the authority's P-256 key.
void handshake_primitives(benchmark::State& state, const Suite& suite, crypto::NewKey kind) {
  const World world = world_of(suite, kind);
  const auto& leaf = dynamic_cast<const crypto::PrivateKey&>(*world.server_settings->signer);
  const crypto::PrivateKey& authority = world.authority.key;
  const crypto::Group group = suite.exchange == Exchange::ecdhe ? crypto::Group::x25519 : crypto::Group::ffdhe2048;
  const Bytes message(150, 1);
  const Bytes by_authority = must(authority.sign(message));
  while (state.KeepRunning()) {
    auto one = must(crypto::EphemeralKey::generate(group, usher::test::randomness()));
    auto two = must(crypto::EphemeralKey::generate(group, usher::test::randomness()));
    const Bytes share = one.public_value();
    benchmark::DoNotOptimize(must(std::move(one).agree(two.public_value())).size());
    benchmark::DoNotOptimize(must(std::move(two).agree(share)).size());
    for (int side = 0; side < 2; ++side) {
      const Bytes signature = must(leaf.sign(message));
      must(leaf.public_key().verify(leaf.scheme(), message, signature));
      must(authority.public_key().verify(authority.scheme(), message, by_authority));  // leaf
      must(authority.public_key().verify(authority.scheme(), message, by_authority));  // CRL
    }
  }
}

/// The server's cost for a ClientHello. Cases: it is answered; its network has used up its share (§4.4), so a Retry is
/// sent; the cookie of a Retry is returned.
void client_hello(benchmark::State& state) {
  const World world = World::copy();
  ClientHandshake client(world.client_settings, usher::test::randomness());
  const Bytes hello = must(client.start());
  while (state.KeepRunning()) {
    ServerHandshake server(world.server_settings, usher::test::randomness());
    benchmark::DoNotOptimize(must(server.on_messages(hello, kNow)).size());
  }
}
void client_hello_retried(benchmark::State& state, bool brought_back) {
  const World world = World::copy();
  const RetryCookies cookies(usher::test::randomness());
  ClientHandshake client(world.client_settings, usher::test::randomness());
  Bytes message = must(client.start());
  const auto decoded = [](View body) { return must(wire::ClientHello::decode(must(wire::take_message(body)).body)); };
  if (brought_back)
    message = must(client.on_messages(cookies.retry(decoded(message), "192.0.2.1", kNow).encode(), kNow));
  while (state.KeepRunning()) {
    const wire::ClientHello hello = decoded(message);
    const bool accepted = cookies.accepts(hello, "192.0.2.1", kNow);
    if (!accepted) benchmark::DoNotOptimize(cookies.retry(hello, "192.0.2.1", kNow).encode().size());
    if (accepted != brought_back) state.SkipWithError("the cookie was judged wrongly");
  }
}

const bool kRegistered = [] {
  const auto add = [](std::string name, std::string_view what, auto function) {
    name.append("/").append(what);
    benchmark::RegisterBenchmark(name.c_str(), function);
  };
  for (const Suite& suite : suites()) {
    const std::string name(suite.name);
    add(name, "seal/primitives", [&suite](benchmark::State& state) { primitives(state, suite, true); });
    add(name, "seal/record", [&suite](benchmark::State& state) { record_seal(state, suite); });
    add(name, "seal/chunk", [&suite](benchmark::State& state) { chunk_seal(state, suite); });
    add(name, "open/primitives", [&suite](benchmark::State& state) { primitives(state, suite, false); });
    add(name, "open/record", [&suite](benchmark::State& state) { record_open(state, suite); });
    add(name, "open/chunk", [&suite](benchmark::State& state) { chunk_open(state, suite); });
  }
  for (const std::string_view name : {"ECDHE_AES256_GCM_SHA384", "DHE_AES256_CBC_SHA384"}) {
    const Suite& suite = *suite_of_name(name);
    for (const auto& [key, kind] :
         {std::pair{"P-256", crypto::NewKey::p256}, std::pair{"RSA-2048", crypto::NewKey::rsa2048}}) {
      std::string stem("handshake/");
      stem.append(name).append("/").append(key);
      add(stem, "primitives", [&suite, kind](benchmark::State& state) { handshake_primitives(state, suite, kind); });
      add(stem, "both_sides", [&suite, kind](benchmark::State& state) { handshake(state, suite, kind); });
    }
  }
  add("client_hello", "answered", client_hello);
  add("client_hello", "retry", [](benchmark::State& state) { client_hello_retried(state, false); });
  add("client_hello", "cookie", [](benchmark::State& state) { client_hello_retried(state, true); });
  return true;
}();

}  // namespace
}  // namespace usher::channel::test
