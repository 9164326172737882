// The server wired together: metrics, readiness, reload, drain; the log's two formats.
#include "server/server.h"
#include "base/encoding.h"
#include "unit/server/http/raw_client.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

class WholeServer : public ::testing::Test {
 protected:
  [[nodiscard]] ServerSnapshot snapshot(std::shared_ptr<const Authorities> authorities) const {
    return {.authorities = std::move(authorities),
            .policy = std::make_shared<const service::ServicePolicy>(),
            .names = {"localhost"},
            .expiries = {{"server certificate", kNow + usher::test::kDay}}};
  }
  void start() {
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.operator_listen = {{"127.0.0.1", 0}};
    options.threads = 2;
    server = std::make_unique<Server>(options,
                                      Server::Parts{.store = *world.store,
                                                    .vault = world.vault,
                                                    .issuer = World::make_issuer(),
                                                    .pseudonyms = world.pseudonyms,
                                                    .clock = world.clock,
                                                    .random = randomness(),
                                                    .log = world.log},
                                      snapshot(world.authorities.get()));
    ASSERT_TRUE(server->start());
  }
  [[nodiscard]] std::string get(std::string_view path) const {
    return RawClient(server->operator_endpoints().at(0))
        .send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .rest();
  }
  [[nodiscard]] std::string post_hello() const {
    channel::ClientHandshake machine(channel_world().client_settings, randomness());
    const Bytes hello = must(machine.start());
    return RawClient(server->endpoints().at(0))
        .send("POST /api/protocols HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " +
              std::string(kTypeHandshake) + "\r\nContent-Length: " + std::to_string(hello.size()) + "\r\n\r\n")
        .send(text_of(hello))
        .rest();
  }
  /// Sends a request by the media channel, over a socket. Returns the answer's body; throws if the status is not 200.
  [[nodiscard]] Bytes exchange(const std::string& path, std::string_view type, const Bytes& body) const {
    const std::string answer = RawClient(server->endpoints().at(0))
                                   .send("POST " + path + " HTTP/1.1\r\nHost: " + host +
                                         "\r\nConnection: close\r\nContent-Type: " + std::string(type) +
                                         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n")
                                   .send(text_of(body))
                                   .rest();
    if (!answer.starts_with("HTTP/1.1 200 ")) throw std::runtime_error(answer.substr(0, answer.find('\r')));
    return to_bytes(view_of(std::string_view(answer).substr(answer.find("\r\n\r\n") + 4)));
  }
  /// A listener of this server, by its sockets.
  [[nodiscard]] Listener listener() {
    return Listener(world, nullptr, [this](const std::string& path, std::string_view type, Bytes body) {
      return exchange(path, type, body);
    });
  }
  /// Whether the session still answers.
  [[nodiscard]] static bool is_served(Listener& listener) {
    try {
      return listener.status("api/none") == wire::Status::unknown_path;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  [[nodiscard]] bool shows(const std::string& metric) const {
    return get("/metrics").find(metric) != std::string::npos;
  }
  [[nodiscard]] static std::shared_ptr<Authorities> authorities() {
    return std::make_shared<Authorities>(*World::make_authorities());
  }

  World world;
  std::string host = "localhost";
  std::unique_ptr<Server> server;
};

/// Authorities with the channel's client revoked.
std::shared_ptr<const Authorities> without_client(std::shared_ptr<Authorities> from) {
  auto settings = std::make_shared<channel::ServerSettings>(*from->channel);
  const auto& authority = channel_world().authority;
  settings->clients =
      usher::test::trust(pki::Role::client, authority, {authority.crl(2, {channel_world().client.chain.front()})});
  from->channel = std::move(settings);
  return from;
}

/// Authorities with this person's card revoked.
std::shared_ptr<const Authorities> without_card(std::shared_ptr<Authorities> from, const Identity& card) {
  const Authority& root = People::get().root;
  from->persons.at(0).trust = usher::test::trust(pki::Role::person, root, {root.crl(2, {card.certificate})});
  return from;
}

TEST_F(WholeServer, IsHealthyAndReady) {
  start();
  EXPECT_TRUE(get("/healthz").ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(get("/readyz").ends_with("\r\n\r\nready\n"));
  EXPECT_TRUE(get("/nothing").starts_with("HTTP/1.1 404"));
}

TEST_F(WholeServer, IsNotReadyWithAnExpiredCertificate) {
  start();
  world.clock.advance(usher::test::kDay);
  const std::string answer = get("/readyz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_TRUE(answer.ends_with("server certificate has expired\n")) << answer;
}

TEST_F(WholeServer, TheOperatorsListenerChecksHostToo) {
  start();
  const std::string answer =
      RawClient(server->operator_endpoints().at(0)).send("GET /metrics HTTP/1.1\r\nHost: evil.test\r\n\r\n").rest();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 421")) << answer;
}

TEST_F(WholeServer, CountsWhatHappens) {
  start();
  EXPECT_TRUE(post_hello().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(RawClient(server->endpoints().at(0))
                  .send("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .rest()
                  .starts_with("HTTP/1.1 404"));
  const std::string metrics = get("/metrics");
  EXPECT_NE(metrics.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_NE(metrics.find("usher_handshakes_begun_total 1\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("usher_http_refused_total{listener=\"media\",reason=\"unknown-path\"} 1\n"),
            std::string::npos);
  EXPECT_NE(metrics.find("usher_media 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("usher_expires_timestamp_seconds{what=\"server certificate\"} "), std::string::npos);
}

TEST_F(WholeServer, AReloadIsCountedAndSoIsARefusedOne) {
  start();
  server->reload(snapshot(World::make_authorities()));
  EXPECT_TRUE(shows("usher_reloads_total{result=\"ok\"} 1\n"));
  server->note_refused_reload();
  EXPECT_TRUE(shows("usher_reloads_total{result=\"refused\"} 1\n"));
}

TEST_F(WholeServer, AReloadIsTakenWhole) {
  start();
  Listener before = listener();
  ASSERT_EQ(before.log_in(), wire::Status::ok);
  const Bytes wanted = wire::Acquire{.medium = kMedium, .kind = 1, .amount = 1}.encode();
  ASSERT_EQ(before.status_once("api/license", wanted), wire::Status::acquisition_closed);
  ASSERT_TRUE(get("/readyz").ends_with("ready\n"));
  // Policy, names, ends of certificates and authorities: each is another one.
  ServerSnapshot next = snapshot(without_card(authorities(), People::get().rui));
  next.policy = std::make_shared<const service::ServicePolicy>(open_policy());
  next.names = {"elsewhere.test"};
  next.expiries = {{"another certificate", kNow}};
  server->reload(std::move(next));

  EXPECT_TRUE(post_hello().starts_with("HTTP/1.1 421")) << "the old name is still taken";
  host = "elsewhere.test";
  EXPECT_EQ(before.status_once("api/license", wanted), wire::Status::ok) << "the old policy is still in force";
  Listener after = listener();
  EXPECT_EQ(after.log_in(People::get().rui), wire::Status::revoked) << "the old authorities still judge";
  EXPECT_TRUE(get("/readyz").ends_with("another certificate has expired\n")) << "the old ends are still shown";
  EXPECT_TRUE(shows("usher_expires_timestamp_seconds{what=\"another certificate\"} "));
}

TEST_F(WholeServer, AReloadThatRevokesAClientEndsItsSessionAndTakesNoOther) {
  start();
  Listener client = listener();
  ASSERT_TRUE(is_served(client));
  const Bytes lists = exchange("/api/lists", kTypeLists, {});
  server->reload(snapshot(authorities()));
  EXPECT_TRUE(is_served(client)) << "a reload without a revocation ends nothing";
  server->reload(snapshot(without_client(authorities())));
  EXPECT_FALSE(is_served(client));
  EXPECT_THROW(listener(), std::runtime_error);
  const std::string log = world.log.text();
  const std::string refused = log.substr(std::min(log.find("\"handshake refused\""), log.size()));
  const std::string key = to_hex(View(channel_world().client.chain.front().key_fingerprint()).first(8));
  EXPECT_NE(refused.substr(0, refused.find('\n')).find("\"installation\":\"" + key + "\""), std::string::npos) << log;
  EXPECT_NE(exchange("/api/lists", kTypeLists, {}), lists) << "the old lists are handed out";
  EXPECT_TRUE(shows("usher_sessions_ended_total{reason=\"revoked\"} 1\n")) << get("/metrics");
  EXPECT_NE(world.log.text().find("\"session no longer trusted\""), std::string::npos) << world.log.text();
}

TEST_F(WholeServer, StrangersCannotFillTheLogWithRefusedHandshakes) {
  start();
  for (int i = 0; i < 150; ++i) {
    EXPECT_THROW(exchange("/api/protocols", kTypeHandshake, Bytes(8, 0xff)), std::runtime_error);
  }
  EXPECT_EQ(world.log.count("handshake refused"), 100);
}

TEST_F(WholeServer, AReloadThatRevokesACardEndsItsSessionsOnly) {
  start();
  Listener ana = listener();
  Listener rui = listener();
  Listener nobody_yet = listener();
  ASSERT_EQ(ana.log_in(), wire::Status::ok);
  ASSERT_EQ(rui.log_in(People::get().rui), wire::Status::ok);
  server->reload(snapshot(without_card(authorities(), People::get().ana)));
  EXPECT_FALSE(is_served(ana));
  EXPECT_TRUE(is_served(rui));
  EXPECT_TRUE(is_served(nobody_yet));
  EXPECT_EQ(nobody_yet.log_in(), wire::Status::revoked);
}

TEST_F(WholeServer, DrainsToTheEnd) {
  start();
  EXPECT_TRUE(post_hello().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(server->drain(Milliseconds(60'000)));
  server->stop();
}

TEST(LogLines, JsonEscapesAndNumbers) {
  EXPECT_EQ(json_line(Level::info, "a \"b\"", {{"n", 3}, {"text", "x\\y\n"}}, "T"),
            "{\"time\":\"T\",\"level\":\"info\",\"event\":\"a \\\"b\\\"\",\"n\":3,\"text\":\"x\\\\y\xef\xbf\xbd\"}");
}

TEST(LogLines, TextQuotesWhatHasSpaces) {
  EXPECT_EQ(text_line(Level::warning, "event", {{"a", "b"}, {"c", "d e"}, {"f", ""}}, "T"),
            "T warning event  a=b  c=\"d e\"  f=\"\"");
}

}  // namespace
}  // namespace usher::server::test
