#include "client/files/file_stream.h"

#include <gtest/gtest.h>

#include "tls_server.h"

namespace usher::client {
namespace {

using test::FileWorld;
using test::kNow;
using test::TinyServer;
using test::TlsPeer;
using test::TlsServer;

const wire::FileRequest kRequest = wire::GetFile{.name = "song.flac"};

struct Got {
  Result<> result;
  Bytes bytes;
};
Got ask(FileStream stream, const Stop& stop = {}) {
  media::MemorySink sink;
  auto result = stream.ask(kRequest, sink, stop);
  return {std::move(result), std::move(sink.bytes)};
}
void expect_fault(const Got& got, Fault fault, std::string_view about = {}) {
  ASSERT_FALSE(got.result) << "expected " << code_of(fault);
  EXPECT_EQ(code_of(got.result.error().fault), code_of(fault)) << explain(got.result.error());
  EXPECT_NE(got.result.error().about.find(about), std::string::npos) << got.result.error().about;
}

void give_whole(TlsPeer& peer, const std::string& /*line*/) {
  peer.send("all of it");
  peer.finish();
}

class FileStreamVersions : public testing::TestWithParam<int> {
 protected:
  [[nodiscard]] static test::TlsServerOptions options() { return {.version = GetParam()}; }
  FileWorld world_;
};
INSTANTIATE_TEST_SUITE_P(Versions, FileStreamVersions, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(FileStreamVersions, AnswerWithCloseNotifyIsWhole) {
  const Bytes sent(1'000'003, 7);
  const TlsServer server(
      world_.server,
      [&](TlsPeer& peer, const std::string&) {
        peer.send(sent);
        peer.finish();
      },
      options());
  const Got got = ask(world_.stream(server));
  ASSERT_TRUE(got.result) << explain(got.result.error());
  EXPECT_EQ(got.bytes, sent);
  EXPECT_EQ(server.lines(), std::vector<std::string>{"GET song.flac"});
}

TEST_P(FileStreamVersions, AnswerWithoutCloseNotifyIsCut) {
  const TlsServer server(world_.server, [](TlsPeer& peer, const std::string&) { peer.send("half"); }, options());
  const Got got = ask(world_.stream(server));
  expect_fault(got, Fault::interrupted, "cut after 4 bytes");
  EXPECT_EQ(text_of(got.bytes), "half");  // to be continued
}

TEST_P(FileStreamVersions, ConnectionClosedWithoutAByteIsARefusal) {
  const TlsServer server(world_.server, [](TlsPeer&, const std::string&) {}, options());
  expect_fault(ask(world_.stream(server)), Fault::file_refused);
}

TEST_P(FileStreamVersions, EmptyAnswerWithCloseNotifyIsAnEmptyFile) {
  const TlsServer server(world_.server, [](TlsPeer& peer, const std::string&) { peer.finish(); }, options());
  const Got got = ask(world_.stream(server));
  EXPECT_TRUE(got.result);
  EXPECT_TRUE(got.bytes.empty());
}

TEST_P(FileStreamVersions, ServersVerdictOnTheInstallationIsUnderstood) {
  for (const Fault fault : {Fault::certificate_expired, Fault::revoked, Fault::untrusted, Fault::revocation_unknown,
                            Fault::bad_certificate}) {
    auto refusing = options();
    refusing.verdict = [fault]() -> Result<> { return fail(fault, "test"); };
    const TlsServer server(world_.server, give_whole, refusing);
    const Got got = ask(world_.stream(server));
    expect_fault(got, fault, "this installation's");
    EXPECT_TRUE(got.bytes.empty());
  }
}

TEST_P(FileStreamVersions, NextRequestResumesTheSession) {
  std::vector<bool> resumed;
  {
    const TlsServer server(
        world_.server,
        [&](TlsPeer& peer, const std::string& line) {
          resumed.push_back(peer.resumed());
          give_whole(peer, line);
          peer.wait_for_end();
        },
        options());
    FileStream stream = world_.stream(server);
    for (int i = 0; i < 3; ++i) {
      media::MemorySink sink;
      ASSERT_TRUE(stream.ask(kRequest, sink, {}));
    }
  }
  EXPECT_EQ(resumed, (std::vector<bool>{false, true, true}));
}

TEST_P(FileStreamVersions, ServerIsJudgedAgainBeforeASessionIsResumed) {
  const TlsServer server(world_.server, give_whole, options());
  FileStream stream = world_.stream(server);
  media::MemorySink sink;
  ASSERT_TRUE(stream.ask(kRequest, sink, {}));
  world_.clock.advance(200 * test::kDay);
  const auto refused = stream.ask(kRequest, sink, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(code_of(refused.error().fault), "certificate-expired");
  EXPECT_EQ(server.lines().size(), 1U);
}

TEST_P(FileStreamVersions, ServerWithoutTheProtocolsNameIsRefused) {
  auto without = options();
  without.alpn = false;
  const TlsServer server(world_.server, give_whole, without);
  expect_fault(ask(world_.stream(server)), Fault::not_usher);
  EXPECT_TRUE(server.lines().empty());
}

TEST_P(FileStreamVersions, BytesThatAreNoRecordAreRefused) {
  const TlsServer server(
      world_.server,
      [](TlsPeer& peer, const std::string&) {
        peer.send("some");
        peer.send_raw(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
        peer.wait_for_end();
      },
      options());
  const Got got = ask(world_.stream(server));
  expect_fault(got, Fault::record_refused, "after 4 bytes");
}

class FileStreamServer : public testing::Test {
 protected:
  /// The result of a client that connects to this server.
  Got from(const test::Identity& server_identity, FileStreamOptions options) {
    const TlsServer server(server_identity, give_whole);
    options.server = server.endpoint();
    Got got = ask(world_.stream(std::move(options)));
    EXPECT_TRUE(server.lines().empty());  // no request was sent
    return got;
  }
  FileWorld world_;
};

TEST_F(FileStreamServer, OfAnotherNameIsRefused) {
  const auto elsewhere = world_.root.leaf(pki::Role::server);
  expect_fault(from(elsewhere, world_.options({})), Fault::wrong_name);
}

TEST_F(FileStreamServer, WithACertificateOfAnotherRoleIsRefused) {
  expect_fault(from(world_.root.leaf(pki::Role::client), world_.options({})), Fault::wrong_role);
}

TEST_F(FileStreamServer, ThatIsRevokedIsRefused) {
  expect_fault(from(world_.server, world_.options({}, {world_.server.certificate})), Fault::revoked);
}

TEST_F(FileStreamServer, OfAForeignRootIsRefused) {
  const auto foreign = test::Authority::root("foreign");
  expect_fault(from(foreign.leaf(FileWorld::with_address(pki::Role::server)), world_.options({})), Fault::untrusted);
}

TEST_F(FileStreamServer, ThatExpiredIsRefused) {
  world_.clock.set(kNow + 200 * test::kDay);
  expect_fault(from(world_.server, world_.options({})), Fault::certificate_expired);
}

class FileStreamNetwork : public testing::Test {
 protected:
  Got from(const std::function<void(int)>& serve, Milliseconds handshake = Milliseconds(10'000)) {
    const TinyServer server(serve);
    FileStreamOptions options = world_.options({"127.0.0.1", server.port()});
    options.handshake_deadline = handshake;
    return ask(world_.stream(std::move(options)));
  }
  FileWorld world_;
};

TEST_F(FileStreamNetwork, WebServerIsNotUsher) {
  expect_fault(from([](int socket) { test::send_text(socket, "HTTP/1.1 400 Bad Request\r\n\r\n"); }), Fault::not_usher);
}

TEST_F(FileStreamNetwork, GarbageIsNotUsher) {
  expect_fault(from([](int socket) { test::send_text(socket, std::string(5000, '\xa5')); }), Fault::not_usher);
}

TEST_F(FileStreamNetwork, ConnectionClosedInTheHandshakeIsTold) {
  const Got got = from([](int socket) {
    char byte = 0;
    (void)::recv(socket, &byte, 1, 0);
  });
  expect_fault(got, Fault::interrupted, "in the handshake");
}

TEST_F(FileStreamNetwork, SilentServerIsGivenUp) {
  const Got got = from(
      [](int socket) {
        char byte = 0;
        while (::recv(socket, &byte, 1, 0) == 1) {}
      },
      Milliseconds(50));
  expect_fault(got, Fault::unreachable, "does not carry on");
}

TEST_F(FileStreamNetwork, NobodyThereIsUnreachable) {
  std::uint16_t port = 0;
  {
    const TinyServer gone([](int) {});
    port = gone.port();
  }
  expect_fault(ask(world_.stream(world_.options({"127.0.0.1", port}))), Fault::unreachable);
}

TEST_F(FileStreamNetwork, ServerThatStopsToSendIsGivenUp) {
  const TlsServer server(world_.server, [](TlsPeer& peer, const std::string&) {
    peer.send("some");
    peer.wait_for_end();
  });
  FileStreamOptions options = world_.options(server.endpoint());
  options.stall_deadline = Milliseconds(50);
  expect_fault(ask(world_.stream(std::move(options))), Fault::interrupted, "has stopped to send");
}

TEST_F(FileStreamNetwork, EndlessAnswerCanBeCancelled) {
  const TlsServer server(world_.server, [](TlsPeer& peer, const std::string&) {
    for (int i = 0; i < 100'000; ++i) peer.send(Bytes(16'384, 1));
  });
  int asked = 0;
  expect_fault(ask(world_.stream(server), [&] { return ++asked > 50; }), Fault::cancelled);
}

TEST_F(FileStreamNetwork, NameThatNoServerTakesIsNotAskedFor) {
  const TlsServer server(world_.server, give_whole);
  FileStream stream = world_.stream(server);
  for (const std::string name : {"../x", "a//b", ".hidden", "", "line\nbreak", "x HTTP/1.1"}) {
    media::MemorySink sink;
    const auto refused = stream.ask(wire::GetFile{.name = name}, sink, {});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(code_of(refused.error().fault), "bad-usage");
  }
  EXPECT_TRUE(server.lines().empty());
}

TEST(FileStreamKey, OfAnotherCertificateIsRefused) {
  const FileWorld world;
  FileStreamOptions options = world.options({});
  options.chain = {world.root.leaf(pki::Role::client).certificate};
  const auto made = FileStream::create(std::move(options), world.clock);
  ASSERT_FALSE(made);
  EXPECT_EQ(code_of(made.error().fault), "bad-key");
}

TEST(EndpointOfAServer, IsReadInEveryForm) {
  for (const auto& [text, host, port] : {std::tuple{"localhost:8443", "localhost", 8443},
                                         {"192.0.2.1:1", "192.0.2.1", 1},
                                         {"[2001:db8::1]:65535", "2001:db8::1", 65535}}) {
    const auto read = endpoint_from_text(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->host, host);
    EXPECT_EQ(read->port, port);
    EXPECT_EQ(read->text(), text);
  }
  for (const char* text : {"", "host", "host:", ":1", "host:0", "host:65536", "host:http", "::1:80", "[::1]", "[::1]80",
                           "[host]:80", "a:b:1"}) {
    EXPECT_FALSE(endpoint_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace usher::client
