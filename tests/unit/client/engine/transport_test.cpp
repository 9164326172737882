#include "client/engine/transport.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/eventually.h"
#include "unit/client/tiny_server.h"

namespace usher::client {
namespace {

using test::always;
using test::http;
using test::TinyServer;

std::unique_ptr<HttpTransport> transport_to(const std::string& url, Milliseconds deadline = Milliseconds(20'000)) {
  auto made = HttpTransport::create({.url = url, .proxy = "none", .deadline = deadline});
  EXPECT_TRUE(made.has_value());
  return *std::move(made);
}
Result<Bytes> post_to(const std::string& url, Milliseconds deadline = Milliseconds(20'000)) {
  return transport_to(url, deadline)->post("/", kRecordType, Bytes{1, 2, 3}, {});
}
Fault fault_from(const std::string& answer) {
  const TinyServer server(always(answer));
  const auto got = post_to(server.url());
  EXPECT_FALSE(got.has_value());
  return got ? Fault::local : got.error().fault;
}

TEST(Transport, TheBodyOfARecordComesBackByteForByte) {
  const std::string body("\0\r\n\xff record", 11);
  const TinyServer server(always(http("200 OK", std::string(kRecordType), body)));
  const auto got = post_to(server.url());
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(text_of(*got), body);
}

TEST(Transport, TheRequestHasTheFormOfTheSpecification) {
  std::string seen;
  {
    const TinyServer server([&](int socket) {
      seen = test::read_request(socket);
      test::send_text(socket, http("200 OK", std::string(kRecordType), "x"));
    });
    ASSERT_TRUE(post_to(server.url()).has_value());
  }
  EXPECT_TRUE(seen.starts_with("POST / HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Content-Type: application/vnd.usher.record\r\n"), std::string::npos);
  EXPECT_EQ(seen.find("Expect:"), std::string::npos);
  EXPECT_TRUE(seen.ends_with(std::string("\r\n\r\n\x01\x02\x03", 7)));
}

TEST(Transport, AConnectionIsKeptForTheNextRequest) {
  const TinyServer server(always(http("200 OK", std::string(kRecordType), "x")));
  const auto transport = transport_to(server.url());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transport->post("/", kRecordType, Bytes{1}, {}).has_value());
  EXPECT_EQ(server.connections(), 1);
}

TEST(Transport, RequestsAtOnceHaveConnectionsOfTheirOwn) {
  std::atomic<int> inside{0};
  const TinyServer server([&](int socket) {
    while (!test::read_request(socket).empty()) {
      ++inside;
      EXPECT_TRUE(test::eventually([&] { return inside >= 4; }));  // the server answers only after all have arrived
      test::send_text(socket, http("200 OK", std::string(kRecordType), "x"));
    }
  });
  const auto transport = transport_to(server.url());
  std::vector<std::jthread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { good += transport->post("/", kRecordType, Bytes{1}, {}) ? 1 : 0; });
  }
  threads.clear();
  EXPECT_EQ(good, 4);
}

TEST(Transport, APortWhereNobodyListensIsUnreachable) {
  std::string url;
  {
    const TinyServer server([](int) {});
    url = server.url();
  }
  const auto got = post_to(url);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::unreachable);
  EXPECT_NE(got.error().about.find(url), std::string::npos);
}

TEST(Transport, AHostThatDoesNotExistIsUnreachable) {
  const auto got = post_to("http://no-such-host.invalid:8080");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::unreachable);
}

TEST(Transport, AWebPageIsNotUsher) {
  EXPECT_EQ(fault_from(http("200 OK", "text/html", "<html>Welcome</html>")), Fault::not_usher);
  EXPECT_EQ(fault_from(http("404 Not Found", "text/html", "<html>")), Fault::not_usher);
}

TEST(Transport, ARedirectIsNotFollowed) {
  EXPECT_EQ(fault_from("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            Fault::not_usher);
}

TEST(Transport, WhatDoesNotSpeakHttpIsNotUsher) {
  const TinyServer server([](int socket) {
    test::read_request(socket);
    test::send_text(socket, "SSH-2.0-OpenSSH_9.2\r\n");
  });
  const auto got = post_to(server.url());
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::not_usher);
}

TEST(Transport, ABusyServerSaysSo) {
  EXPECT_EQ(fault_from(http("503 Service Unavailable", "text/html", "later")), Fault::server_busy);
  EXPECT_EQ(fault_from(http("503 Service Unavailable", std::string(kErrorType), "server-busy")), Fault::server_busy);
}

TEST(Transport, TheServersOwnCodeIsTold) {
  EXPECT_EQ(fault_from(http("404 Not Found", std::string(kErrorType), "unknown-session")), Fault::unknown_session);
  EXPECT_EQ(fault_from(http("400 Bad Request", std::string(kErrorType), "bad-certificate")), Fault::bad_certificate);
  EXPECT_EQ(fault_from(http("421 Misdirected Request", std::string(kErrorType), "wrong-name")), Fault::wrong_name);
}

TEST(Transport, ACodeThatOnlyARecordMayHoldIsNotBelieved) {
  EXPECT_EQ(fault_from(http("400 Bad Request", std::string(kErrorType), "no-licence")), Fault::not_usher);
  EXPECT_EQ(fault_from(http("400 Bad Request", std::string(kErrorType), "\x1b[2J")), Fault::not_usher);
}

TEST(Transport, ABodyThatIsCutShortIsInterrupted) {
  const TinyServer server([](int socket) {
    test::read_request(socket);
    test::send_text(socket,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.usher.record\r\nContent-Length: 100\r\n\r\nabc");
  });
  const auto got = post_to(server.url());
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::interrupted);
}

TEST(Transport, ABodyLargerThanAnyRecordIsNotUsher) {
  EXPECT_EQ(fault_from(http("200 OK", std::string(kRecordType), std::string(kMaxReply + 1, 'x'))), Fault::not_usher);
}

TEST(Transport, AServerThatNeverAnswersIsInterrupted) {
  const TinyServer server([](int socket) {
    while (!test::read_request(socket).empty()) {}
  });
  const auto got = post_to(server.url(), Milliseconds(150));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::interrupted);
}

TEST(Transport, WhoGivesUpIsNotKeptWaiting) {
  std::atomic<bool> stop{false};
  const TinyServer server([&](int socket) {
    test::read_request(socket);
    stop = true;
    test::read_request(socket);
  });
  const auto got = transport_to(server.url())->post("/", kRecordType, Bytes{1}, [&] { return stop.load(); });
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().fault, Fault::cancelled);
}

TEST(Transport, AProxyIsUsed) {
  std::string seen;
  {
    const TinyServer proxy([&](int socket) {
      seen = test::read_request(socket);
      test::send_text(socket, http("200 OK", std::string(kRecordType), "x"));
    });
    auto transport = HttpTransport::create({.url = "http://media.example:8080", .proxy = proxy.url()});
    ASSERT_TRUE(transport.has_value());
    ASSERT_TRUE((*transport)->post("/api/keys", kRecordType, Bytes{1}, {}).has_value());
  }
  EXPECT_TRUE(seen.starts_with("POST http://media.example:8080/api/keys HTTP/1.1\r\n")) << seen;
}

TEST(Transport, AUrlThatIsNoneIsABadConfiguration) {
  for (const char* url :
       {"", "ftp://host/", "http://", "http://user:word@host/", "http://host/?a=b", "file:///etc/passwd"}) {
    const auto made = HttpTransport::create({.url = url});
    ASSERT_FALSE(made.has_value()) << url;
    EXPECT_EQ(made.error().fault, Fault::bad_config) << url;
  }
}

TEST(Transport, TheHostIsWhatWasDialled) {
  EXPECT_EQ(transport_to("http://media.example:8080/")->host(), "media.example");
  EXPECT_EQ(transport_to("http://[::1]:8080")->host(), "::1");
}

}  // namespace
}  // namespace usher::client
