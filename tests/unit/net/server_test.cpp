// The server wired together: metrics, readiness, reload, drain; the log's two formats.
#include "net/server.h"
#include "unit/net/raw_client.h"
#include "unit/net/service_world.h"

namespace usher::net::test {
namespace {

class WholeServer : public ::testing::Test {
 protected:
  [[nodiscard]] ServerSnapshot snapshot(std::shared_ptr<const Authorities> authorities) const {
    return {.authorities = std::move(authorities),
            .policy = std::make_shared<const ServicePolicy>(),
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
  World world;
  std::unique_ptr<Server> server;
};

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

TEST_F(WholeServer, AReloadIsTakenWhole) {
  start();
  server->reload(snapshot(World::make_authorities()));
  EXPECT_NE(get("/metrics").find("usher_reloads_total{result=\"ok\"} 1\n"), std::string::npos);
  server->note_refused_reload();
  EXPECT_NE(get("/metrics").find("usher_reloads_total{result=\"refused\"} 1\n"), std::string::npos);
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
}  // namespace usher::net::test
