// What a reload does to clients that are connecting: handshakes, logins and file connections that began before it are
// judged by the trust after it (identity.md §3.3).
#include "server/server.h"
#include "unit/server/files/tls_client.h"
#include "unit/server/http/raw_client.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

using TrustPtr = std::shared_ptr<const pki::TrustStore>;

/// Something that happens while a certificate is judged: once.
class Meanwhile {
 public:
  void set(std::function<void()> what) { what_ = std::move(what); }
  /// For a trust store, which calls it for each certificate; it has no answer for any.
  [[nodiscard]] pki::AnswerOf hook() {
    return [this](const Hash256&, const Hash256&) -> std::optional<pki::StatusAnswer> {
      if (const auto what = std::exchange(what_, nullptr)) what();
      return std::nullopt;
    };
  }

 private:
  std::function<void()> what_;
};

/// A server, and a listener whose steps a test takes one by one.
class Reloading : public ::testing::Test {
 protected:
  Reloading() {
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.threads = 2;
    server = std::make_unique<Server>(options,
                                      Server::Parts{.store = *world.store,
                                                    .vault = world.vault,
                                                    .issuer = World::make_issuer(),
                                                    .pseudonyms = world.pseudonyms,
                                                    .clock = world.clock,
                                                    .random = randomness(),
                                                    .log = world.log},
                                      snapshot(clients({}), persons({})));
    must(server->start());
  }
  static ServerSnapshot snapshot(TrustPtr clients, TrustPtr persons) {
    auto authorities = std::make_shared<Authorities>();
    auto channel = std::make_shared<channel::ServerSettings>(*channel_world().server_settings);
    channel->clients = std::move(clients);
    authorities->channel = std::move(channel);
    authorities->persons.push_back({person::generic_profile(), std::move(persons)});
    return {.authorities = std::move(authorities),
            .policy = std::make_shared<const service::ServicePolicy>(),
            .names = {"localhost"},
            .expiries = {}};
  }
  static TrustPtr judging(pki::Role role, const Authority& root, const pki::Chain& revoked, pki::AnswerOf hook) {
    return must(pki::TrustStore::make({.role = role,
                                       .anchors = {root.certificate},
                                       .crls = {root.crl(revoked.empty() ? 1 : 2, revoked)},
                                       .answers = std::move(hook)}));
  }
  static TrustPtr clients(const pki::Chain& revoked, pki::AnswerOf hook = {}) {
    return judging(pki::Role::client, channel_world().authority, revoked, std::move(hook));
  }
  static TrustPtr persons(const pki::Chain& revoked, pki::AnswerOf hook = {}) {
    return judging(pki::Role::person, People::get().root, revoked, std::move(hook));
  }
  static pki::Chain this_client() { return {channel_world().client.chain.front()}; }
  void revoke_client() { server->reload(snapshot(clients(this_client()), persons({}))); }

  /// Status and body.
  std::pair<std::string, Bytes> post(const std::string& path, std::string_view type, const Bytes& body) const {
    const std::string text =
        RawClient(server->endpoints().at(0))
            .send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " +
                  std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n")
            .send(text_of(body))
            .rest();
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string::npos) return {"", {}};
    return {text.substr(9, 3), to_bytes(view_of(text).subspan(head + 4))};
  }
  Bytes good(const std::string& path, std::string_view type, const Bytes& body) const {
    auto [status, answer] = post(path, type, body);
    EXPECT_EQ(status, "200") << path;
    return std::move(answer);
  }
  void say_hello() { hello = good("/api/protocols", kTypeHandshake, must(machine.start())); }
  void give_keys() {
    const Bytes accepted = good("/api/keys", kTypeHandshake, must(machine.on_messages(hello, kNow)));
    finished = must(machine.on_messages(accepted, kNow));
  }
  void finish() { session = must(machine.on_record(good("/", kTypeRecord, finished), kNow)); }
  void expect_refused_at_the_end() {
    const auto [status, body] = post("/", kTypeRecord, finished);
    EXPECT_EQ(status, "400");
    EXPECT_EQ(text_of(body), "bad-certificate");
    EXPECT_EQ(post("/", kTypeRecord, finished).first, "404");
  }
  wire::Status ask(std::string_view path, const Bytes& body = {}) {
    auto sealed = must(session->seal_request(path, {}, body));
    return must(session->open_response(good("/", kTypeRecord, sealed.record))).status();
  }
  wire::Status log_in() {
    const Identity& ana = People::get().ana;
    const person::LoginTerms terms{.server_key = session->peer().certificate().key_fingerprint(),
                                   .installation = this_client().front().fingerprint(),
                                   .now = kNow};
    const auto login = must(person::PersonSession::create(ana.key, {ana.certificate}, terms, randomness()));
    return ask("api/auth", must(login.bind(must(session->exporter("person")))).encode());
  }

  World world;
  std::unique_ptr<Server> server;
  channel::ClientHandshake machine{channel_world().client_settings, randomness()};
  Bytes hello;
  Bytes finished;
  std::unique_ptr<channel::ClientSession> session;
  Meanwhile meanwhile;
};

TEST_F(Reloading, BetweenHelloAndKeysCutsOffWhoWasRevoked) {
  say_hello();
  revoke_client();
  give_keys();
  expect_refused_at_the_end();
}

TEST_F(Reloading, BetweenKeysAndTheEndCutsOffWhoWasRevoked) {
  say_hello();
  give_keys();
  revoke_client();
  expect_refused_at_the_end();
}

TEST_F(Reloading, LetsOthersFinishWhatTheyBegan) {
  say_hello();
  server->reload(snapshot(clients({}), persons({})));
  give_keys();
  server->reload(snapshot(clients({}), persons({})));
  finish();
  EXPECT_EQ(log_in(), wire::Status::ok);
}

TEST_F(Reloading, DuringTheSecondLookCountsToo) {
  say_hello();
  give_keys();
  server->reload(snapshot(clients({}, meanwhile.hook()), persons({})));
  meanwhile.set([&] { revoke_client(); });
  expect_refused_at_the_end();
}

TEST_F(Reloading, DuringALoginCutsOffWhoWasRevoked) {
  server->reload(snapshot(clients({}), persons({}, meanwhile.hook())));
  say_hello();
  give_keys();
  finish();
  meanwhile.set([&] { server->reload(snapshot(clients({}), persons({People::get().ana.certificate}))); });
  EXPECT_EQ(log_in(), wire::Status::revoked);
  EXPECT_EQ(ask("api/list", wire::Page{}.encode()), wire::Status::not_authenticated);
}

TEST_F(Reloading, DuringALoginLetsOthersIn) {
  server->reload(snapshot(clients({}), persons({}, meanwhile.hook())));
  say_hello();
  give_keys();
  finish();
  meanwhile.set([&] { server->reload(snapshot(clients({}), persons({People::get().rui.certificate}))); });
  EXPECT_EQ(log_in(), wire::Status::ok);
}

TEST_F(Reloading, DuringALoginEndsTheSessionOfARevokedClient) {
  server->reload(snapshot(clients({}), persons({}, meanwhile.hook())));
  say_hello();
  give_keys();
  finish();
  meanwhile.set([&] { revoke_client(); });
  auto sealed = must(session->seal_request("api/list", {}, wire::Page{}.encode()));
  const Identity& ana = People::get().ana;
  const person::LoginTerms terms{.server_key = session->peer().certificate().key_fingerprint(),
                                 .installation = this_client().front().fingerprint(),
                                 .now = kNow};
  const auto login = must(person::PersonSession::create(ana.key, {ana.certificate}, terms, randomness()));
  const Bytes body = must(login.bind(must(session->exporter("person")))).encode();
  const auto request = must(session->seal_request("api/auth", {}, body));
  EXPECT_EQ(post("/", kTypeRecord, request.record).first, "404");
  EXPECT_EQ(post("/", kTypeRecord, sealed.record).first, "404");
}

}  // namespace
}  // namespace usher::server::test
