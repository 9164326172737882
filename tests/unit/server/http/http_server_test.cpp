// What a peer can make the HTTP server do, over real sockets on loopback.
#include <condition_variable>

#include "server/runtime/endpoint.h"
#include "server/runtime/runtime.h"
#include "server/runtime/workers.h"
#include "support/eventually.h"
#include "unit/server/http/raw_client.h"

namespace usher::server::test {
namespace {

/// Answers with path and body; "/big" with 8 MiB; "/wait" when the test allows it.
class Echo final : public HttpHandler {
 public:
  Admission admit(const HttpRequest& head) override {
    if (head.path == "/closed") return refuse(404, "unknown-path", head);
    return std::size_t{100};
  }
  HttpResponse handle(HttpRequest request) override {
    if (request.path == "/big") return {.content_type = "text/plain", .body = Bytes(8 << 20, 'x')};
    if (request.path == "/wait") {
      std::unique_lock lock(mutex);
      waiting = true;
      ++hanging;
      changed.notify_all();
      EXPECT_TRUE(usher::test::eventually(changed, lock, [&] { return released; }));
    }
    return {.content_type = "text/plain", .body = concat({view_of(request.path), view_of("|"), request.body})};
  }
  bool answers_at_once(const HttpRequest& head) const override { return head.path == "/health"; }
  HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest&) override {
    return {.status = status,
            .content_type = "text/plain",
            .body = to_bytes(view_of(code)),
            .retry_after = status == 503 ? 1U : 0U};
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool waiting = false;
  int hanging = 0;
  bool released = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(const HttpLimits& limits = {}, const std::string& address = "127.0.0.1") {
    HttpEvents events;
    events.refused = [this](std::string_view reason) {
      const std::scoped_lock lock(mutex_);
      refused_.emplace_back(reason);
    };
    server_ = std::make_unique<HttpServer>(runtime_, workers_, echo_, names_, *log_, limits, std::move(events));
    const auto bound = server_->listen({{address, 0}});
    ASSERT_TRUE(bound);
    endpoint_ = bound->at(0);
    runtime_.start();
  }
  void TearDown() override {
    {
      const std::scoped_lock lock(echo_.mutex);
      echo_.released = true;
      echo_.changed.notify_all();
    }
    runtime_.stop();
  }
  [[nodiscard]] std::string ask(std::string_view text) const { return RawClient(endpoint_).send(text).rest(); }
  [[nodiscard]] bool was_refused_for(std::string_view reason) {
    const std::scoped_lock lock(mutex_);
    return std::ranges::find(refused_, reason) != refused_.end();
  }
  /// The socket closes before the event is recorded.
  void expect_refusal(std::string_view reason) {
    EXPECT_TRUE(usher::test::eventually([&] { return was_refused_for(reason); })) << reason;
  }
  static void expect_status(const std::string& response, std::string_view status, std::string_view code) {
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + std::string(status))) << response.substr(0, 200);
    EXPECT_TRUE(response.ends_with("\r\n\r\n" + std::string(code))) << response.substr(0, 400);
  }

  std::unique_ptr<Log> log_ = make_silent_log();
  HostNames names_{{"localhost", "*.example.org", "::1"}};
  Echo echo_;
  Runtime runtime_{2};
  Workers workers_{{.threads = 2, .jobs = 4}};
  std::unique_ptr<HttpServer> server_;
  Endpoint endpoint_;
  std::mutex mutex_;
  std::vector<std::string> refused_;
};

constexpr std::string_view kClose = "Host: localhost\r\nConnection: close\r\n";

TEST_F(HttpServerTest, AnswersWithExactlyTheFieldsOfTheSpec) {
  start();
  EXPECT_EQ(
      ask("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nCache-Control: no-store, no-transform\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n/a|hi");
}

TEST_F(HttpServerTest, OneConnectionCarriesManyRequests) {
  start();
  RawClient client(endpoint_);
  for (int i = 0; i < 3; ++i) {
    const std::string response = client.send("GET /again HTTP/1.1\r\nHost: localhost\r\n\r\n").response();
    EXPECT_TRUE(response.ends_with("/again|")) << response;
    EXPECT_EQ(response.find("Connection:"), std::string::npos);
  }
}

TEST_F(HttpServerTest, WhereAllWorkersHangOthersAreToldSoAndWhatWaitsForNothingIsAnswered) {
  start();
  std::vector<std::unique_ptr<RawClient>> hanging;
  const auto begin = [&] {
    hanging.push_back(std::make_unique<RawClient>(endpoint_));
    hanging.back()->send("GET /wait HTTP/1.1\r\n" + std::string(kClose) + "\r\n");
  };
  for (int i = 0; i < 4; ++i) begin();
  ASSERT_TRUE(usher::test::eventually([this] { return workers_.jobs() == 4; })) << "two hang, two wait";
  expect_status(ask("GET /another HTTP/1.1\r\n" + std::string(kClose) + "\r\n"), "503", "server-busy");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(ask("GET /health HTTP/1.1\r\n" + std::string(kClose) + "\r\n").ends_with("/health|"));
  }
  EXPECT_TRUE(usher::test::eventually([this] {
    const std::scoped_lock lock(echo_.mutex);
    return echo_.hanging == 2;
  })) << "as many as there are workers";
  {
    const std::scoped_lock lock(echo_.mutex);
    echo_.released = true;
    echo_.changed.notify_all();
  }
  for (const auto& client : hanging) EXPECT_TRUE(client->rest().ends_with("/wait|"));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  const std::string both =
      ask("GET /one HTTP/1.1\r\nHost: localhost\r\n\r\nGET /two HTTP/1.1\r\n" + std::string(kClose) + "\r\n");
  EXPECT_LT(both.find("/one|"), both.find("/two|"));
  EXPECT_NE(both.find("/two|"), std::string::npos);
}

TEST_F(HttpServerTest, AnotherHostIsMisdirected) {
  start();
  expect_status(ask("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n"), "421", "wrong-name");
  expect_status(ask("GET / HTTP/1.1\r\n\r\n"), "421", "wrong-name");
  expect_status(ask("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), "421", "wrong-name");
  expect_status(ask("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), "421", "wrong-name");
  expect_status(ask("GET / HTTP/1.1\r\nHost: a.b.example.org\r\n\r\n"), "421", "wrong-name");
  expect_status(ask("GET / HTTP/1.1\r\nHost: localhost:8o80\r\n\r\n"), "421", "wrong-name");
}

TEST_F(HttpServerTest, EachOfItsNamesIsTaken) {
  start();
  for (const char* host : {"localhost", "LOCALHOST:8080", "localhost.", "a.example.org", "[::1]:80", "[0:0::1]"}) {
    const std::string response = ask("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200")) << host;
  }
}

TEST_F(HttpServerTest, ALongHeadIsRefused) {
  start({.header_bytes = 2048});
  const std::string padding(4000, 'a');
  expect_status(ask("GET / HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + padding + "\r\n\r\n"), "431", "too-long");
}

TEST_F(HttpServerTest, ALongBodyIsRefusedBeforeItIsRead) {
  start();
  expect_status(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n"), "413", "too-long");
  expect_status(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n"), "413", "too-long");
}

TEST_F(HttpServerTest, ALongChunkedBodyIsRefused) {
  start();
  const std::string chunk = "40\r\n" + std::string(0x40, 'a') + "\r\n";
  expect_status(
      ask("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n"),
      "413", "too-long");
}

TEST_F(HttpServerTest, AChunkedBodyIsTaken) {
  start();
  expect_status(
      ask("POST / HTTP/1.1\r\n" + std::string(kClose) + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
      "200", "/|hi");
}

TEST_F(HttpServerTest, WhatIsNotHttpIsMalformed) {
  start();
  expect_status(ask("NONSENSE\r\n\r\n"), "400", "malformed");
  expect_status(ask("GET / HTTP/1.1\r\nHost localhost\r\n\r\n"), "400", "malformed");
  expect_status(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
                "400", "malformed");
  expect_status(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"), "400", "malformed");
}

TEST_F(HttpServerTest, ARefusalBeforeTheBodyReachesASenderThatIsStillSending) {
  start();
  expect_status(ask("POST /closed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n" + std::string(90, 'a')),
                "404", "unknown-path");
}

TEST_F(HttpServerTest, ExpectationsAreMet) {
  start();
  RawClient client(endpoint_);
  client.send("POST / HTTP/1.1\r\n" + std::string(kClose) + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.response(), "HTTP/1.1 100 Continue\r\n\r\n");
  expect_status(client.send("hi").rest(), "200", "/|hi");
}

TEST_F(HttpServerTest, WhoSaysNothingIsCut) {
  start({.header_time = Milliseconds(50)});
  EXPECT_EQ(RawClient(endpoint_).rest(), "");
  expect_refusal("timeout");
}

TEST_F(HttpServerTest, WhoNeverEndsTheHeadIsCut) {
  start({.header_time = Milliseconds(50)});
  EXPECT_EQ(RawClient(endpoint_).send("GET / HTTP/1.1\r\nHost: loc").rest(), "");
  expect_refusal("timeout");
}

TEST_F(HttpServerTest, WhoNeverEndsTheBodyIsCut) {
  start({.body_time = Milliseconds(50)});
  EXPECT_EQ(RawClient(endpoint_).send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc").rest(), "");
  expect_refusal("timeout");
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosed) {
  start({.idle_time = Milliseconds(50)});
  RawClient client(endpoint_);
  EXPECT_TRUE(client.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").response().ends_with("/a|"));
  EXPECT_EQ(client.rest(), "");
}

TEST_F(HttpServerTest, WhoTakesNoAnswerIsCut) {
  start({.write_stall = Milliseconds(50)});
  RawClient client(endpoint_, 4096);
  client.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect_refusal("timeout");
  EXPECT_LT(client.rest().size(), std::size_t{8} << 20);
}

TEST_F(HttpServerTest, WhoTakesTheAnswerGetsAllOfIt) {
  start();
  const std::string response = ask("GET /big HTTP/1.1\r\n" + std::string(kClose) + "\r\n");
  EXPECT_GT(response.size(), std::size_t{8} << 20);
}

TEST_F(HttpServerTest, OneConnectionTooManyIsToldSo) {
  start({.connections = 2});
  RawClient first(endpoint_);
  RawClient second(endpoint_);
  first.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").response();
  second.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").response();
  const std::string refused = RawClient(endpoint_).rest();
  expect_status(refused, "503", "server-busy");
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_TRUE(was_refused_for("connections"));
}

TEST_F(HttpServerTest, OneAddressMayNotTakeAllConnections) {
  start({.connections = 100, .connections_per_address = 1});
  RawClient first(endpoint_);
  first.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").response();
  expect_status(RawClient(endpoint_).rest(), "503", "server-busy");
}

TEST_F(HttpServerTest, AConnectionThatEndedMakesRoom) {
  start({.connections = 1});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(usher::test::eventually([&] { return server_->drained(); }));
    expect_status(ask("GET /a HTTP/1.1\r\n" + std::string(kClose) + "\r\n"), "200", "/a|");
  }
}

TEST_F(HttpServerTest, DrainingClosesIdleConnectionsAndFinishesRequests) {
  start();
  RawClient idle(endpoint_);
  idle.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").response();
  RawClient busy(endpoint_);
  busy.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  {
    std::unique_lock lock(echo_.mutex);
    ASSERT_TRUE(usher::test::eventually(echo_.changed, lock, [&] { return echo_.waiting; }));
  }
  server_->drain();
  EXPECT_EQ(idle.rest(), "");
  EXPECT_FALSE(server_->drained());
  {
    const std::scoped_lock lock(echo_.mutex);
    echo_.released = true;
    echo_.changed.notify_all();
  }
  expect_status(busy.rest(), "200", "/wait|");
  EXPECT_TRUE(usher::test::eventually([&] { return server_->drained(); }));
}

TEST_F(HttpServerTest, ListensOnIpv6) {
  start({}, "::1");
  expect_status(ask("GET /six HTTP/1.1\r\n" + std::string(kClose) + "\r\n"), "200", "/six|");
}

TEST_F(HttpServerTest, APortThatIsTakenIsToldSo) {
  start();
  HttpServer second(runtime_, workers_, echo_, names_, *log_, {});
  const auto bound = second.listen({endpoint_});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().fault, Fault::busy);
}

TEST(EndpointText, OneFormForEachAddress) {
  for (const char* text : {"0.0.0.0:8080", "[::]:8080", "127.0.0.1:0", "[::1]:65535"}) {
    const auto endpoint = endpoint_from_text(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->text(), text);
  }
  for (const char* text : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:1x", "::1:80",
                           "[::1]", "[127.0.0.1]:80", "localhost:80", "[]:80"}) {
    EXPECT_FALSE(endpoint_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace usher::server::test
