// The transcripts of tests/vectors/channel, recomputed from the text of channel.md §4 to §7 with the primitives alone:
// nothing here calls the channel's own key schedule or records, which wrote them.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/encoding.h"
#include "crypto/kdf.h"
#include "unit/channel/world.h"
#include "wire/codec.h"

namespace usher::channel::test {
namespace {

namespace json = boost::json;
using wire::Direction;

/// An object of the file. A member that the test does not read is a failure: its claim would not be checked.
class Object {
 public:
  explicit Object(const json::object& object) : object_(object) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() {
    for (const auto& member : object_) {
      EXPECT_TRUE(read_.contains(std::string(member.key()))) << "the test did not read " << member.key();
    }
  }
  [[nodiscard]] bool has(const std::string& key) const { return object_.contains(key); }
  const json::value& at(const std::string& key) {
    read_.insert(key);
    return object_.at(key);
  }
  std::string text(const std::string& key) { return std::string(at(key).as_string()); }
  std::uint64_t number(const std::string& key) { return at(key).to_number<std::uint64_t>(); }
  Bytes hex(const std::string& key) { return must(from_hex(text(key))); }
  std::vector<Bytes> list(const std::string& key) {
    std::vector<Bytes> out;
    for (const auto& each : at(key).as_array()) out.push_back(must(from_hex(std::string(each.as_string()))));
    return out;
  }

 private:
  const json::object& object_;
  std::set<std::string> read_;
};

class Once final : public Random {
 public:
  explicit Once(Bytes value) : value_(std::move(value)) {}
  void fill(MutableView out) override {
    ASSERT_EQ(out.size(), value_.size());
    std::ranges::copy(value_, out.begin());
  }

 private:
  Bytes value_;
};

struct Keys {
  Bytes key, mac_key, iv;
};

struct Known {
  const Suite* suite = nullptr;
  Id128 session{};
  crypto::Secret prk;
  std::array<Bytes, 9> hash;  // H(T(n))
  Keys client, server, handshake;
  Bytes chunk_secret;
  std::set<std::uint64_t> auth;  // requests to api/auth
};

Bytes expand(const Suite& suite, const Bytes& secret, std::initializer_list<View> info, std::size_t size) {
  return to_bytes(crypto::hkdf_expand(suite.digest, crypto::Secret::copy_of(secret), info, size).expose());
}

Bytes derived(const Known& known, const std::string& label, std::size_t t, std::size_t size) {
  const std::string prefix = "usher/1 " + label + std::string(1, '\0');
  return expand(*known.suite, to_bytes(known.prk.expose()), {view_of(prefix), known.hash[t]}, size);
}

Keys check_direction(Object& file, const Known& known, const std::string& field, const std::string& label,
                     std::size_t t) {
  const Suite& suite = *known.suite;
  Keys keys{file.hex(field + "_key"), {}, {}};
  EXPECT_EQ(keys.key, derived(known, label + " key", t, suite.key_size()));
  EXPECT_EQ(file.has(field + "_mac_key"), !suite.aead());
  EXPECT_EQ(file.has(field + "_iv"), suite.counts_nonces());
  if (!suite.aead()) {
    keys.mac_key = file.hex(field + "_mac_key");
    EXPECT_EQ(keys.mac_key, derived(known, label + " mac key", t, suite.digest_size()));
  }
  if (suite.counts_nonces()) {
    keys.iv = file.hex(field + "_iv");
    EXPECT_EQ(keys.iv, derived(known, label + " iv", t, 12));
  }
  return keys;
}

Bytes check_secret(Object& file, const Known& known, const std::string& field, const std::string& label,
                   std::size_t t) {
  Bytes value = file.hex(field);
  EXPECT_EQ(value, derived(known, label, t, known.suite->digest_size())) << field;
  return value;
}

/// Writes the record again, byte for byte.
Bytes sealed(const Known& known, const Keys& keys, const Bytes& key, Direction direction, std::uint64_t sequence,
             std::uint64_t request, const Bytes& iv, const Bytes& plaintext) {
  const Suite& suite = *known.suite;
  Bytes nonce = keys.iv;
  const Bytes number = wire::Writer().u32(0).u64(sequence).bytes();
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] ^= number[i];
  const bool cbc = suite.cipher == crypto::Cipher::aes128_cbc || suite.cipher == crypto::Cipher::aes256_cbc;
  const std::size_t length = cbc ? (plaintext.size() / 16 + 1) * 16 : plaintext.size();
  wire::Writer header;
  header.u8(1).u16(suite.number).raw(known.session).u8(static_cast<std::uint8_t>(direction));
  header.u64(sequence).u64(request).raw(iv).u32(static_cast<std::uint32_t>(length));
  Bytes out = header.bytes();
  EXPECT_EQ(out.size(), 56U);
  Bytes body(length + (suite.aead() ? 16 : 0));
  if (suite.aead()) {
    crypto::aead_seal(suite.cipher, key, nonce, out, plaintext, body);
    append(out, body);
    return out;
  }
  const Bytes cipher_iv = suite.cipher == crypto::Cipher::chacha20 ? concat({Bytes(4), nonce}) : iv;
  crypto::encrypt(suite.cipher, key, cipher_iv, plaintext, body);
  append(out, body);
  append(out, crypto::hmac(suite.digest, keys.mac_key, {out}));
  return out;
}

/// Whether a request's content (§6.4) names this path.
bool is_for(const Bytes& content, std::string_view path) {
  const Bytes begins = wire::Writer().u8(1).vec8(view_of(path)).bytes();
  return content.size() >= begins.size() && std::ranges::equal(View(content).first(begins.size()), begins);
}

void check_record(Object& entry, Known& known) {
  const auto direction = static_cast<Direction>(entry.number("direction"));
  const Keys& keys = direction == Direction::identity    ? known.handshake
                     : direction == Direction::to_server ? known.client
                                                         : known.server;
  const std::uint64_t sequence = entry.number("sequence");
  Bytes key = keys.key;
  std::size_t total = 0;
  const Bytes content = entry.hex("content");
  if (entry.has("chunk_key")) {
    const Bytes numbers = wire::Writer().u32(static_cast<std::uint32_t>(entry.number("chunk"))).u64(sequence).bytes();
    key = expand(*known.suite, known.chunk_secret,
                 {view_of("usher/1 chunk key"), Bytes{0}, entry.hex("play"), entry.hex("medium"), numbers},
                 known.suite->key_size());
    EXPECT_EQ(entry.hex("chunk_key"), key);
    total = (4 + 8 + 1 + 24 * 32 + 4 + 4096 + 255) / 256 * 256;
  } else if (direction == Direction::to_client) {
    for (total = known.auth.contains(entry.number("request")) ? 1024 : 512; total < 4 + content.size();) total *= 2;
  } else if (direction == Direction::to_server && is_for(content, "api/auth")) {
    known.auth.insert(sequence);
    total = 24576;
  } else {
    total = (4 + content.size() + 255) / 256 * 256;
  }
  EXPECT_EQ(entry.number("plaintext_size"), total);
  Bytes plaintext = wire::Writer().vec32(content).bytes();
  plaintext.resize(total);
  EXPECT_EQ(to_hex(sealed(known, keys, key, direction, sequence, entry.number("request"), entry.hex("iv"), plaintext)),
            entry.text("record"));
}

void check_agreement(Object& file, Known& known, const wire::ServerHello& hello, const wire::ClientKeys& keys) {
  const auto group = *channel_group_of(static_cast<std::uint16_t>(file.number("group_number")));
  EXPECT_EQ(file.text("group"), crypto::name_of(group));
  Once client(file.hex("client_private"));
  Once server(file.hex("server_private"));
  auto client_key = must(crypto::EphemeralKey::generate(group, client));
  auto server_key = must(crypto::EphemeralKey::generate(group, server));
  EXPECT_EQ(client_key.public_value(), keys.share);
  EXPECT_EQ(server_key.public_value(), hello.share);
  const auto shared = must(std::move(client_key).agree(hello.share));
  EXPECT_EQ(to_bytes(shared.expose()), to_bytes(must(std::move(server_key).agree(keys.share)).expose()));
  EXPECT_EQ(to_bytes(shared.expose()), file.hex("shared_secret"));
  known.prk = crypto::hkdf_extract(known.suite->digest, concat({file.hex("client_random"), file.hex("server_random")}),
                                   shared.expose());
  EXPECT_EQ(to_bytes(known.prk.expose()), file.hex("prk"));
}

void check_proof(Object& file, const std::string& who, std::string_view context, const Bytes& hash,
                 const Bytes& message, const std::vector<Bytes>& chain, const pki::TrustStore& trust,
                 const pki::ServerName* name) {
  const Bytes expected = concat({Bytes(64, ' '), view_of(context), Bytes{0}, hash});
  EXPECT_EQ(file.hex(who + "_proof_signed"), expected);
  const std::vector<View> views(chain.begin(), chain.end());
  const auto peer = must(trust.verify(must(pki::chain_from_der(views)), kNow, name));
  const auto proof = must(wire::Proof::decode(View{message}.subspan(4)));
  EXPECT_TRUE(peer.public_key().verify(*crypto::scheme_of(proof.scheme), expected, proof.signature).has_value());
}

std::array<Bytes, 10> read_messages(Object& file) {
  constexpr const char* kNames[] = {"client_hello",  "server_hello",       "server_proof",
                                    "client_keys",   "client_certificate", "client_proof",
                                    "keys_accepted", "client_finished",    "server_finished"};
  Object messages(file.at("messages").as_object());
  std::array<Bytes, 10> out;
  for (std::size_t i = 1; i <= 9; ++i) {
    out[i] = messages.hex(kNames[i - 1]);
    View in = out[i];
    EXPECT_EQ(static_cast<std::size_t>(must(wire::take_message(in)).type), i);
    EXPECT_TRUE(in.empty());
  }
  return out;
}

void check_hashes(Object& file, Known& known, const std::array<Bytes, 10>& messages) {
  Object hashes(file.at("transcript_hashes").as_object());
  Bytes transcript;
  for (std::size_t n = 1; n <= 8; ++n) {
    append(transcript, messages[n]);
    known.hash[n] = crypto::digest_of(known.suite->digest, {transcript});
    if (n != 1 && n != 3) {
      EXPECT_EQ(hashes.hex(std::to_string(n)), known.hash[n]);
    }
  }
}

void check_identities(Object& file, const Known& known, const std::array<Bytes, 10>& messages) {
  const auto root = must(pki::Certificate::from_der(file.hex("root_certificate")));
  const auto crl = must(pki::Crl::from_der(file.hex("crl")));
  const auto trust = [&](pki::Role role) {
    return must(pki::TrustStore::make({.role = role, .anchors = {root}, .crls = {crl}}));
  };
  EXPECT_EQ(file.number("time"), static_cast<std::uint64_t>(unix_seconds(kNow)));
  const auto name = must(pki::ServerName::from_host(file.text("server_name")));
  check_proof(file, "server", "usher/1 server proof", known.hash[2], messages[3], file.list("server_certificates"),
              *trust(pki::Role::server), &name);
  check_proof(file, "client", "usher/1 client proof", known.hash[5], messages[6], file.list("client_certificates"),
              *trust(pki::Role::client), nullptr);
}

void check_hellos(Object& file, Known& known, const std::array<Bytes, 10>& messages) {
  const auto hello = must(wire::ClientHello::decode(View{messages[1]}.subspan(4)));
  const auto answer = must(wire::ServerHello::decode(View{messages[2]}.subspan(4)));
  const auto keys = must(wire::ClientKeys::decode(View{messages[4]}.subspan(4)));
  known.suite = suite_of(static_cast<std::uint16_t>(file.number("suite_number")));
  ASSERT_NE(known.suite, nullptr);
  EXPECT_EQ(file.text("suite"), known.suite->name);
  EXPECT_EQ(answer.suite, known.suite->number);
  known.session = array_of<16>(file.hex("session"));
  EXPECT_EQ(answer.session, known.session);
  EXPECT_EQ(keys.session, known.session);
  EXPECT_EQ(to_bytes(hello.client_random), file.hex("client_random"));
  EXPECT_EQ(to_bytes(answer.server_random), file.hex("server_random"));
  EXPECT_EQ(answer.group, file.number("group_number"));
  EXPECT_EQ(answer.certificates, file.list("server_certificates"));
  EXPECT_EQ(must(wire::ClientCertificate::decode(View{messages[5]}.subspan(4))).certificates,
            file.list("client_certificates"));
  check_agreement(file, known, answer, keys);
}

void check_secrets(Object& file, Known& known, const std::array<Bytes, 10>& messages) {
  const Suite& suite = *known.suite;
  known.handshake = check_direction(file, known, "handshake", "handshake", 4);
  known.client = check_direction(file, known, "client_write", "client write", 6);
  known.server = check_direction(file, known, "server_write", "server write", 6);
  known.chunk_secret = check_secret(file, known, "chunk_secret", "chunk secret", 6);
  const Bytes client_finished = check_secret(file, known, "client_finished_key", "client finished", 6);
  const Bytes server_finished = check_secret(file, known, "server_finished_key", "server finished", 6);
  EXPECT_EQ(to_bytes(View{messages[8]}.subspan(4)), crypto::hmac(suite.digest, client_finished, {known.hash[7]}));
  EXPECT_EQ(to_bytes(View{messages[9]}.subspan(4)), crypto::hmac(suite.digest, server_finished, {known.hash[8]}));
  const Bytes exporter = check_secret(file, known, "exporter_secret", "exporter", 8);
  check_secret(file, known, "resumption_secret", "resumption", 8);
  EXPECT_EQ(file.hex("exporter_person"), expand(suite, exporter, {view_of("usher/1 exporter person"), Bytes{0}}, 32));
}

void check_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const json::value parsed = json::parse(text);
  Object file(parsed.as_object());
  Known known;
  const auto messages = read_messages(file);
  ASSERT_NO_FATAL_FAILURE(check_hellos(file, known, messages));
  check_hashes(file, known, messages);
  check_identities(file, known, messages);
  check_secrets(file, known, messages);
  Object identity(file.at("identity_record").as_object());
  EXPECT_EQ(identity.hex("content"), concat({messages[5], messages[6]}));
  check_record(identity, known);
  std::size_t chunks = 0;
  for (const auto& each : file.at("records").as_array()) {
    Object entry(each.as_object());
    SCOPED_TRACE(entry.text("name"));
    chunks += entry.has("chunk_key") ? 1 : 0;
    check_record(entry, known);
  }
  EXPECT_EQ(chunks, 3U);
}

std::vector<std::string> stems() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(USHER_SOURCE_DIR "/tests/vectors/channel")) {
    if (entry.path().extension() == ".json") out.push_back(entry.path().stem().string());
  }
  std::ranges::sort(out);
  return out;
}

class ChannelVector : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, ChannelVector, testing::ValuesIn(stems()), [](const auto& each) { return each.param; });

TEST_P(ChannelVector, IsWhatTheSpecificationGives) {
  check_file(std::filesystem::path(USHER_SOURCE_DIR "/tests/vectors/channel") / (GetParam() + ".json"));
}

TEST(ChannelVectors, ThereIsOneForEverySuite) {
  const auto all = stems();
  EXPECT_EQ(all.size(), suites().size());
  for (const Suite& suite : suites()) EXPECT_TRUE(std::ranges::count(all, suite.name) == 1) << suite.name;
}

}  // namespace
}  // namespace usher::channel::test
