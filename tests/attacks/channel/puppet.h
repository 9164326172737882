// Peers that follow channel.md except where a test tells them not to. They share the primitives with usher, but not the
// machines: nothing stops them from skipping a check or lying.
#pragma once

#include <functional>

#include "crypto/kdf.h"
#include "unit/channel/world.h"

namespace usher::channel::test {

/// The key schedule without proof tokens, by channel.md §5.
struct RawKeys {
  const Suite* suite = nullptr;
  crypto::Secret prk;

  RawKeys() = default;
  RawKeys(const Suite& of, const wire::ChannelRandom& client, const wire::ChannelRandom& server,
          const crypto::Secret& z)
      : suite(&of), prk(crypto::hkdf_extract(of.digest, concat({client, server}), z.expose())) {}

  [[nodiscard]] crypto::Secret secret(std::string_view label, View transcript, std::size_t size) const {
    return expand_label(crypto::HmacKey(suite->digest, prk), label, crypto::digest_of(suite->digest, {transcript}),
                        size);
  }
  [[nodiscard]] DirectionKeys direction(const std::string& name, View transcript) const {
    DirectionKeys keys;
    keys.key = secret(name + " key", transcript, suite->key_size());
    if (!suite->aead()) keys.mac_key = secret(name + " mac key", transcript, suite->digest_size());
    if (suite->counts_nonces()) keys.iv = secret(name + " iv", transcript, 12);
    return keys;
  }
  [[nodiscard]] Bytes finished(std::string_view label, View t6, View covered) const {
    return finished_data(*suite, secret(label, t6, suite->digest_size()), crypto::digest_of(suite->digest, {covered}));
  }
};

inline std::vector<Bytes> der_of(const pki::Chain& chain) {
  std::vector<Bytes> out;
  for (const auto& certificate : chain) out.push_back(certificate.der());
  return out;
}

inline Bytes hash_of(const Suite& suite, View bytes) { return crypto::digest_of(suite.digest, {bytes}); }

/// A client. Change what it says before each step.
struct PuppetClient {
  explicit PuppetClient(const World& world) : certificates(der_of(world.client.chain)), signer(world.client.key) {
    hello.client_random = usher::test::randomness().array<28>();
    for (const Suite* suite : world.client_settings->suites) hello.suites.push_back(suite->number);
    for (const auto group : world.client_settings->groups) hello.groups.push_back(static_cast<std::uint16_t>(group));
  }

  wire::ClientHello hello;
  std::vector<Bytes> certificates;
  std::shared_ptr<const crypto::PrivateKey> signer;
  std::optional<std::uint16_t> scheme;  // in place of the signer's
  Side context = Side::client;          // whose context is signed
  std::optional<Bytes> share;           // in place of the real X
  std::optional<Bytes> content;         // in place of ClientCertificate ‖ ClientProof

  Bytes start() { return transcript = hello.encode(); }

  /// Takes ServerHello ‖ ServerProof without any check, and returns ClientKeys ‖ record.
  Bytes keys(const Bytes& answer) {
    View in = answer;
    server = must(wire::ServerHello::decode(must(wire::take_message(in)).body));
    const Suite& suite = *suite_of(server.suite);
    append(transcript, answer);
    auto key = must(crypto::EphemeralKey::generate(*channel_group_of(server.group), usher::test::randomness()));
    Bytes out = wire::ClientKeys{server.session, share.value_or(key.public_value())}.encode();
    append(transcript, out);
    raw = RawKeys(suite, hello.client_random, server.server_random, must(std::move(key).agree(server.share)));
    Sealer sealing(suite, server.session, wire::Direction::identity, raw.direction("handshake", transcript),
                   usher::test::randomness());
    const Bytes inside = content ? *content : identity(suite);
    Bytes record;
    (void)must(sealing.seal(record, {inside}, wire::padded_request(inside.size())));
    append(out, record);
    return out;
  }

  /// The keys of T(6), after KeysAccepted.
  void accept(const Bytes& accepted) {
    const Suite& suite = *raw.suite;
    t6 = transcript;
    append(transcript, accepted);
    sealer = std::make_unique<Sealer>(suite, server.session, wire::Direction::to_server,
                                      raw.direction("client write", t6), usher::test::randomness());
    opener =
        std::make_unique<Opener>(suite, server.session, wire::Direction::to_client, raw.direction("server write", t6));
  }
  [[nodiscard]] Bytes finished() const {
    return wire::Finished{raw.finished("client finished", t6, transcript)}.encode(wire::MessageType::client_finished);
  }
  /// `total`: of the plaintext; 0: what the path asks for.
  Bytes request(std::string_view path, const Bytes& body, std::vector<wire::Parameter> parameters = {},
                std::size_t total = 0) {
    const Bytes inside = wire::Request{std::string(path), std::move(parameters), body}.encode();
    const std::size_t right = path == wire::kPathAuth ? wire::kAuthRequest : wire::padded_request(inside.size());
    Bytes record;
    (void)must(sealer->seal(record, {inside}, total != 0 ? total : right));
    return record;
  }
  wire::Status status_of(Bytes record) {
    const auto opened = must(opener->open(record, wire::Padding::response));
    return static_cast<wire::Status>(must(wire::ResponseHead::decode(must(Result<View>(opened.content)))).status);
  }

  Bytes transcript, t6;
  wire::ServerHello server;
  RawKeys raw;
  std::unique_ptr<Sealer> sealer;
  std::unique_ptr<Opener> opener;

 private:
  Bytes identity(const Suite& suite) {
    Bytes inside = wire::ClientCertificate{certificates}.encode();
    append(transcript, inside);
    wire::Proof proof = must(prove(*signer, context, hash_of(suite, transcript)));
    if (scheme) proof.scheme = *scheme;
    const Bytes message = proof.encode(wire::MessageType::client_proof);
    append(transcript, message);
    append(inside, message);
    return inside;
  }
};

/// A server. Change what it says before each step.
struct PuppetServer {
  explicit PuppetServer(const World& world) : certificates(der_of(world.server.chain)), signer(world.server.key) {}

  std::vector<Bytes> certificates;
  std::shared_ptr<const crypto::PrivateKey> signer;
  std::optional<std::uint16_t> scheme;
  Side context = Side::server;
  std::uint16_t suite = 0x0101;
  std::uint16_t group = 0x001d;
  /// The last change to ServerHello before it is signed.
  std::function<void(wire::ServerHello&)> edit = [](wire::ServerHello&) {};

  Bytes answer(const Bytes& client_hello) {
    View in = client_hello;
    client_random = must(wire::ClientHello::decode(must(wire::take_message(in)).body)).client_random;
    const auto named = *channel_group_of(group);
    key.emplace(must(crypto::EphemeralKey::generate(named, usher::test::randomness())));
    hello = {.session = usher::test::randomness().id(),
             .suite = suite,
             .server_random = usher::test::randomness().array<28>(),
             .certificates = certificates,
             .group = group,
             .p = crypto::parameters_of(named).p,
             .g = crypto::parameters_of(named).g,
             .share = key->public_value(),
             .extensions = {}};
    edit(hello);
    Bytes out = hello.encode();
    transcript = concat({client_hello, out});
    wire::Proof proof = must(prove(*signer, context, hash_of(*suite_of(suite), transcript)));
    if (scheme) proof.scheme = *scheme;
    const Bytes message = proof.encode(wire::MessageType::server_proof);
    append(transcript, message);
    append(out, message);
    return out;
  }

  /// Takes ClientKeys ‖ record without any check, and returns KeysAccepted.
  Bytes accept(const Bytes& body) {
    const Suite& of = *suite_of(suite);
    View in = body;
    const auto message = must(wire::take_message(in));
    append(transcript, message.whole);
    raw = RawKeys(of, client_random, hello.server_random,
                  must(std::move(*key).agree(must(wire::ClientKeys::decode(message.body)).share)));
    Bytes record = to_bytes(in);
    Opener identity(of, hello.session, wire::Direction::identity, raw.direction("handshake", transcript));
    append(transcript, must(Result<View>(must(identity.open(record, wire::Padding::request)).content)));
    t6 = transcript;
    sealer = std::make_unique<Sealer>(of, hello.session, wire::Direction::to_client, raw.direction("server write", t6),
                                      usher::test::randomness());
    opener = std::make_unique<Opener>(of, hello.session, wire::Direction::to_server, raw.direction("client write", t6));
    const Bytes accepted = wire::encode_keys_accepted();
    append(transcript, accepted);
    return accepted;
  }

  /// ServerFinished, after the record of api/finished.
  Bytes finished(Bytes record) {
    const auto opened = must(opener->open(record, wire::Padding::request));
    request = opened.header.sequence;
    append(transcript, must(wire::Request::decode(must(Result<View>(opened.content)))).body);
    return wire::Finished{raw.finished("server finished", t6, transcript)}.encode(wire::MessageType::server_finished);
  }
  /// `least`: of the plaintext.
  Bytes response(const Bytes& body, wire::Status status = wire::Status::ok, std::optional<std::uint64_t> to = {},
                 std::size_t least = 512) {
    const auto head = wire::ResponseHead{static_cast<std::uint16_t>(status),
                                         body.empty() ? wire::ResponseType::empty : wire::ResponseType::structure,
                                         static_cast<std::uint32_t>(body.size())}
                          .encode();
    Bytes record;
    (void)must(sealer->seal(record, {head, body}, wire::padded_response(head.size() + body.size(), least),
                            to.value_or(request)));
    return record;
  }

  Bytes transcript, t6;
  wire::ServerHello hello;
  wire::ChannelRandom client_random{};
  std::optional<crypto::EphemeralKey> key;
  RawKeys raw;
  std::unique_ptr<Sealer> sealer;
  std::unique_ptr<Opener> opener;
  std::uint64_t request = 0;
};

}  // namespace usher::channel::test
