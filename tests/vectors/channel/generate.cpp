// Writes one transcript for each suite: channel_vectors <folder>. See README.md for the fields.
//
// Random numbers are the same each time. Certificates and signatures are new each time: their private keys are made
// here and forgotten.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "attacks/channel/puppet.h"
#include "base/encoding.h"

namespace usher::channel::test {
namespace {

/// Gives the same bytes for the same name, and remembers them.
class Recorded final : public Random {
 public:
  explicit Recorded(std::string name) : name_(std::move(name)) {}
  void fill(MutableView out) override {
    Bytes all;
    for (std::uint8_t block = 0; all.size() < out.size(); ++block) {
      append(all, crypto::sha256({view_of(name_), Bytes{static_cast<std::uint8_t>(draws.size()), block}}));
    }
    std::ranges::copy(View{all}.first(out.size()), out.begin());
    draws.emplace_back(out.begin(), out.end());
  }
  std::vector<Bytes> draws;

 private:
  std::string name_;
};

/// Gives one value, once.
class Once final : public Random {
 public:
  explicit Once(Bytes value) : value_(std::move(value)) {}
  void fill(MutableView out) override { std::ranges::copy(View{value_}.first(out.size()), out.begin()); }

 private:
  Bytes value_;
};

/// JSON with one member a line; values are hexadecimal unless they are text or numbers.
class Json {
 public:
  explicit Json(std::string indent = "  ") : indent_(std::move(indent)) {}
  Json& hex(const std::string& key, View value) { return raw(key, "\"" + to_hex(value) + "\""); }
  Json& text(const std::string& key, std::string_view value) { return raw(key, "\"" + std::string(value) + "\""); }
  Json& number(const std::string& key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  Json& raw(const std::string& key, const std::string& value) {
    members_ += (members_.empty() ? "" : ",\n") + indent_ + "\"" + key + "\": " + value;
    return *this;
  }
  Json& chain(const std::string& key, const pki::Chain& value) {
    std::string list;
    for (const auto& certificate : value) list += (list.empty() ? "\"" : ", \"") + to_hex(certificate.der()) + "\"";
    return raw(key, "[" + list + "]");
  }
  [[nodiscard]] std::string object() const { return "{\n" + members_ + "\n" + indent_.substr(2) + "}"; }

 private:
  std::string indent_;
  std::string members_;
};

/// One suite's transcript, from the two machines; the secrets are derived separately.
class Transcript {
 public:
  Transcript(const World& world, const Suite& suite)
      : world_(world),
        suite_(suite),
        client_random_("client of " + std::string(suite.name)),
        server_random_("server of " + std::string(suite.name)),
        client_(world.client_settings, client_random_),
        server_(world.server_settings, server_random_) {}

  std::string write() {
    handshake();
    exchanges();
    Json json;
    json.text("suite", suite_.name).number("suite_number", suite_.number);
    json.text("group", crypto::name_of(group_)).number("group_number", static_cast<std::uint16_t>(group_));
    json.number("time", static_cast<std::uint64_t>(unix_seconds(kNow))).text("server_name", "server.test");
    json.hex("root_certificate", world_.authority.certificate.der());
    json.hex("crl", world_.authority.crl().der());
    json.chain("server_certificates", world_.server.chain).chain("client_certificates", world_.client.chain);
    json.hex("client_random", client_random_.draws[0]).hex("client_private", client_random_.draws[1]);
    json.hex("session", server_random_.draws[0]).hex("server_random", server_random_.draws[1]);
    json.hex("server_private", server_random_.draws[2]);
    write_messages(json);
    write_secrets(json);
    json.raw("identity_record", record_object(identity_record_, nullptr));
    std::string list;
    for (const auto& [name, record, ids] : records_) {
      list += (list.empty() ? "\n    " : ",\n    ") + record_object(record, ids ? &*ids : nullptr, name);
    }
    json.raw("records", "[" + list + "\n  ]");
    return json.object() + "\n";
  }

 private:
  struct Sent {
    std::string name;
    Bytes record;
    std::optional<ChunkIds> ids;
  };

  void handshake() {
    const Bytes hello = must(client_.start());
    const Bytes answer = must(server_.on_messages(hello, kNow));
    const Bytes keys = must(client_.on_messages(answer, kNow));
    const Bytes accepted = must(server_.on_messages(keys, kNow));
    const Bytes finished = must(client_.on_messages(accepted, kNow));
    FinishStep step = must(server_.on_record(finished, kNow));
    sessions_ = {must(client_.on_record(step.answer, kNow)), std::move(step.session)};

    View in = answer;
    messages_ = {hello};
    messages_.push_back(to_bytes(must(wire::take_message(in)).whole));
    messages_.push_back(to_bytes(in));
    in = keys;
    messages_.push_back(to_bytes(must(wire::take_message(in)).whole));
    identity_record_ = to_bytes(in);
    derive_shared();
    content_ = identity_content();
    in = content_;
    messages_.push_back(to_bytes(must(wire::take_message(in)).whole));
    messages_.push_back(to_bytes(in));
    messages_.push_back(accepted);
    messages_.push_back(must(wire::Request::decode(content_of(finished, nullptr))).body);
    messages_.push_back(to_bytes(View{content_of(step.answer, nullptr)}.subspan(wire::kResponseHead)));
    records_ = {{"request api/finished", finished, {}}, {"response to api/finished", step.answer, {}}};
  }

  void derive_shared() {
    const auto hello = must(wire::ServerHello::decode(View{messages_[1]}.subspan(4)));
    group_ = *channel_group_of(hello.group);
    Once own(client_random_.draws[1]);
    shared_ = must(must(crypto::EphemeralKey::generate(group_, own)).agree(hello.share));
    raw_ = RawKeys(suite_, array_of<28>(client_random_.draws[0]), hello.server_random, shared_);
  }

  /// T(n).
  [[nodiscard]] Bytes t(std::size_t n) const {
    Bytes all;
    for (std::size_t i = 0; i < n; ++i) append(all, messages_[i]);
    return all;
  }

  [[nodiscard]] Bytes identity_content() const {
    Bytes copy = identity_record_;
    Opener opener(suite_, sessions_.client->id(), wire::Direction::identity, raw_.direction("handshake", t(4)));
    const auto opened = must(opener.open(copy, wire::Padding::request));
    return to_bytes(must(Result<View>(opened.content)));
  }

  [[nodiscard]] Bytes content_of(Bytes record, const ChunkIds* ids) const {
    const auto header = must(wire::RecordHeader::decode(record));
    if (header.direction == wire::Direction::identity) return content_;
    const bool up = header.direction == wire::Direction::to_server;
    Opener opener(suite_, header.session, header.direction, raw_.direction(up ? "client write" : "server write", t(6)));
    const ChunkKeys chunk_keys(suite_, raw_.secret("chunk secret", t(6), suite_.digest_size()));
    const ChunkUse use{chunk_keys, ids ? *ids : ChunkIds{}};
    const auto padding = up                                       ? wire::Padding::any_request
                         : ids                                    ? wire::Padding::chunk
                         : auth_answers_.contains(header.request) ? wire::Padding::auth_response
                                                                  : wire::Padding::response;
    const auto opened = must(opener.open(record, padding, ids ? &use : nullptr));
    if (!ids) total_ = opened.total;
    return to_bytes(must(Result<View>(opened.content)));
  }

  Bytes ask(const std::string& path, std::vector<wire::Parameter> parameters, const Bytes& body) {
    const auto sealed = must(sessions_.client->seal_request(path, std::move(parameters), body));
    records_.push_back({"request " + path, sealed.record, {}});
    request_ = must(sessions_.server->open_request(sealed.record)).sequence;
    return sealed.record;
  }
  void answered(const std::string& name, const Bytes& record, std::optional<ChunkIds> ids = {}) {
    records_.push_back({name, record, ids});
    (void)must(sessions_.client->open_response(record));
  }

  void exchanges() {
    Bytes out;
    (void)ask(std::string(wire::kPathList), {}, wire::Page{.offset = 0, .count = 256}.encode());
    must(sessions_.server->seal_response(out, request_, wire::Status::not_authenticated));
    answered("refusal of api/list", out);

    (void)ask(std::string(wire::kPathAuth), {}, Bytes(100, 0x61));
    auth_answers_.insert(request_);
    must(sessions_.server->seal_response(out, request_, wire::Status::bad_statement, {}, wire::kAuthAnswer));
    answered("refusal of api/auth", out);
    wire::Authenticated person{.pseudonym = {},
                               .name = "Ana",
                               .session_end = 1'800'000'000,
                               .server_id = "music.example",
                               .licence_keys = {Bytes(91, 0x30)}};
    (void)ask(std::string(wire::kPathAuth), {}, Bytes(9'000, 0x61));
    auth_answers_.insert(request_);
    must(sessions_.server->seal_response(out, request_, wire::Status::ok, person.encode(), auth_answer_size(person)));
    answered("response to api/auth", out);

    const Id128 medium = array_of<16>(Bytes(16, 0x4d));
    (void)ask(std::string(wire::kPathLicense), {{"operation", Bytes(16, 0x0b)}},
              wire::Acquire{.medium = medium, .kind = 1, .amount = 5}.encode());
    const wire::LicenceEntry entry{.licence = "e30.e30.AA", .plays_left = 5};
    must(sessions_.server->seal_response(out, request_, wire::Status::ok, entry.encode()));
    answered("response to api/license", out);

    constexpr std::size_t kChunkSize = 4096;
    const Id128 play = array_of<16>(Bytes(16, 0x70));
    const wire::Chunk wanted{.play = play, .medium = medium, .epoch = 2, .chunk = 7};
    const ChunkIds ids{play, medium, 7};
    Bytes chunk(kChunkSize);
    for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::uint8_t>(i * 7);
    const std::vector<Hash256> proof{crypto::sha256(Bytes{1}), crypto::sha256(Bytes{2}), crypto::sha256(Bytes{3})};
    (void)ask(std::string(wire::kPathDownload), {}, wanted.encode());
    must(sessions_.server->seal_chunk(out, request_, ids, kChunkSize, proof, chunk));
    answered("chunk", out, ids);

    (void)ask(std::string(wire::kPathDownload), {}, wanted.encode());
    must(sessions_.server->seal_chunk(out, request_, ids, kChunkSize, proof, View{chunk}.first(100)));
    answered("short chunk", out, ids);

    (void)ask(std::string(wire::kPathDownload), {}, wanted.encode());
    must(sessions_.server->seal_chunk_refusal(out, request_, ids, kChunkSize, wire::Status::budget_spent));
    answered("refusal of a chunk", out, ids);

    (void)ask(std::string(wire::kPathExit), {}, {});
    must(sessions_.server->seal_response(out, request_, wire::Status::ok));
    answered("response to api/exit", out);
  }

  void write_messages(Json& json) const {
    constexpr const char* kNames[] = {"client_hello",  "server_hello",       "server_proof",
                                      "client_keys",   "client_certificate", "client_proof",
                                      "keys_accepted", "client_finished",    "server_finished"};
    Json messages("    ");
    for (std::size_t i = 0; i < messages_.size(); ++i) messages.hex(kNames[i], messages_[i]);
    json.raw("messages", messages.object());
    Json hashes("    ");
    for (const std::size_t n : {2, 4, 5, 6, 7, 8}) hashes.hex(std::to_string(n), hash_of(suite_, t(n)));
    json.raw("transcript_hashes", hashes.object());
    json.hex("server_proof_signed", signed_bytes(Side::server, hash_of(suite_, t(2))));
    json.hex("client_proof_signed", signed_bytes(Side::client, hash_of(suite_, t(5))));
  }

  void write_secrets(Json& json) const {
    json.hex("shared_secret", shared_.expose()).hex("prk", raw_.prk.expose());
    const auto direction = [&](const std::string& field, const std::string& label, std::size_t n) {
      const DirectionKeys keys = raw_.direction(label, t(n));
      json.hex(field + "_key", keys.key.expose());
      if (!keys.mac_key.empty()) json.hex(field + "_mac_key", keys.mac_key.expose());
      if (!keys.iv.empty()) json.hex(field + "_iv", keys.iv.expose());
    };
    direction("handshake", "handshake", 4);
    direction("client_write", "client write", 6);
    direction("server_write", "server write", 6);
    const auto secret = [&](const std::string& field, const std::string& label, std::size_t n) {
      json.hex(field, raw_.secret(label, t(n), suite_.digest_size()).expose());
    };
    secret("chunk_secret", "chunk secret", 6);
    secret("client_finished_key", "client finished", 6);
    secret("server_finished_key", "server finished", 6);
    secret("exporter_secret", "exporter", 8);
    secret("resumption_secret", "resumption", 8);
    json.hex("exporter_person", must(sessions_.client->exporter("person")));
  }

  [[nodiscard]] std::string record_object(const Bytes& record, const ChunkIds* ids,
                                          const std::string& name = {}) const {
    const auto header = must(wire::RecordHeader::decode(record));
    Json json(name.empty() ? "    " : "      ");
    if (!name.empty()) json.text("name", name);
    json.number("direction", static_cast<std::uint8_t>(header.direction)).number("sequence", header.sequence);
    json.number("request", header.request).hex("iv", header.iv);
    if (ids != nullptr) {
      const ChunkKeys chunk_keys(suite_, raw_.secret("chunk secret", t(6), suite_.digest_size()));
      json.hex("play", ids->play).hex("medium", ids->medium).number("chunk", ids->chunk);
      json.hex("chunk_key", chunk_keys.key(*ids, header.sequence).expose());
    }
    const Bytes content = content_of(record, ids);
    const std::size_t padded = ids                                             ? wire::padded_chunk(4096)
                               : header.direction == wire::Direction::identity ? wire::padded_request(content.size())
                                                                               : total_;
    json.hex("content", content).number("plaintext_size", padded).hex("record", record);
    return json.object();
  }

  const World& world_;
  const Suite& suite_;
  Recorded client_random_, server_random_;
  ClientHandshake client_;
  ServerHandshake server_;
  Sessions sessions_;
  crypto::Group group_ = crypto::Group::x25519;
  std::vector<Bytes> messages_;
  Bytes identity_record_, content_;
  crypto::Secret shared_;
  RawKeys raw_;
  std::vector<Sent> records_;
  std::uint64_t request_ = 0;
  std::set<std::uint64_t> auth_answers_;  // the requests that they answer
  mutable std::size_t total_ = 0;         // of the plaintext that was opened last
};

int run(const std::filesystem::path& folder) {
  // RSA on the server's side for the suites with SHA-384, so that both schemes occur.
  World world = World::copy();
  const Party rsa = party(world.authority, pki::Role::server, crypto::NewKey::rsa2048);
  for (const Suite& suite : suites()) {
    World own = World::with(suite);
    if (suite.digest == crypto::Digest::sha384) {
      own.server = rsa;
      own.set_server(rsa);
    }
    std::ofstream file(folder / (std::string(suite.name) + ".json"), std::ios::binary);
    file << Transcript(own, suite).write();
    if (!file.flush()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace usher::channel::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: channel_vectors <folder>\n", stderr);
    return 2;
  }
  return usher::channel::test::run(argv[1]);
}
