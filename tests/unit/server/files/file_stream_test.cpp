// The file stream over real sockets on loopback (filestream.md), with a client that misbehaves on request.
#include "server/files/file_stream.h"

#include <atomic>
#include <fstream>

#include "base/encoding.h"
#include "support/eventually.h"
#include "unit/media/fixtures.h"
#include "unit/server/files/hanging_key.h"
#include "unit/server/files/tls_client.h"

namespace usher::server::test {
namespace {

using namespace usher::test;
namespace fs = std::filesystem;
using TrustPtr = std::shared_ptr<const pki::TrustStore>;

constexpr std::size_t kBig = 24 << 20;  // bytes: more than sockets hold

FileServerIdentity served(const Identity& identity) {
  return {.chain = {identity.certificate}, .key = std::make_shared<const crypto::PrivateKey>(identity.key)};
}

class FileStreamTest : public ::testing::Test {
 protected:
  FileStreamTest() {
    fs::create_directory(directory.path / "share");
    write("small", "small");
    write("empty", "");
    big.resize(kBig, 'b');
    write("big", big);
    options.listen = {{"127.0.0.1", 0}};
    options.threads = 1;
    settings.identities = {served(p256)};
    shares = {{.name = "share", .directory = directory.path / "share"}};
  }
  void TearDown() override { stream.reset(); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(directory.path / "share" / name, std::ios::binary) << text;
  }
  FileSnapshot snapshot(TrustPtr clients) {
    settings.authorities = clients->config().anchors;
    return {.clients = std::move(clients),
            .contexts = must(FileContexts::make(settings)),
            .shares = must(FileShares::open(shares, vault ? &*vault : nullptr))};
  }
  TrustPtr trusting(const std::vector<pki::Certificate>& revoked = {}, std::uint64_t number = 1) const {
    return trust(pki::Role::client, root, {root.crl(number, revoked)});
  }
  void start() {
    stream = std::make_unique<FileStream>(
        options, FileStream::Parts{.clock = clock, .random = randomness(), .log = *log, .metrics = metrics},
        snapshot(trusting()));
    must(stream->start());
    to = stream->endpoints().at(0);
  }
  TlsClient::Answer ask(const std::string& line, const TlsClient::Bend& bend = {}) const {
    return TlsClient(to, client, bend).ask(line);
  }
  void expect_refused(const std::string& line) const {
    TlsClient one(to, client);
    ASSERT_TRUE(one.shake_hands()) << line;
    one.send(line + "\n");
    const auto answer = one.rest();
    EXPECT_TRUE(answer.bytes.empty() && !answer.whole) << line;
  }
  /// The server notes some things after the client has seen them.
  void expect_noted(const std::string& line) const {
    EXPECT_TRUE(eventually([&] { return metrics.text().find(line) != std::string::npos; })) << line << metrics.text();
  }
  static TlsClient::Bend version(int number) {
    return [number](SSL_CTX* context) {
      SSL_CTX_set_min_proto_version(context, number);
      SSL_CTX_set_max_proto_version(context, number);
    };
  }
  static TlsClient::Bend suites(const char* names) {
    return [names](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
      SSL_CTX_set_cipher_list(context, names);
    };
  }

  media::test::Directory directory{128 << 20};
  std::string big;
  Authority root = Authority::root();
  Identity p256 = root.leaf(pki::Role::server);
  Identity client = root.leaf(pki::Role::client);
  ManualClock clock{kNow};
  std::unique_ptr<Log> log = make_silent_log();
  Metrics metrics;
  FileTlsSettings settings;
  std::vector<FileShare> shares;
  std::optional<media::Vault> vault;
  FileStreamOptions options;
  std::unique_ptr<FileStream> stream;
  Endpoint to;
};

TEST_F(FileStreamTest, AnAnswerIsTheFileAndCloseNotify) {
  start();
  for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [name, content] :
         {std::pair<std::string, std::string>{"small", "small"}, {"empty", ""}, {"big", big}}) {
      const auto answer = ask("GET " + name, version(number));
      EXPECT_TRUE(answer.whole) << name;
      EXPECT_TRUE(answer.bytes == content) << name << " " << answer.bytes.size();
    }
  }
}

TEST_F(FileStreamTest, AReloadDuringTheHandshakeCutsOffWhoWasRevoked) {
  options.limits.line_time = Milliseconds(120'000);  // longer than the client waits
  start();
  for (const unsigned turn : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
    settings.identities.front().on_token = (turn & 1) != 0;
    const bool asks = (turn & 2) != 0;
    std::atomic<bool> reloaded = false;
    const pki::AnswerOf reload = [&](const Hash256&, const Hash256&) -> std::optional<pki::StatusAnswer> {
      if (!reloaded.exchange(true)) stream->reload(snapshot(trusting({client.certificate}, 3)));
      return std::nullopt;
    };
    stream->reload(snapshot(must(pki::TrustStore::make(
        {.role = pki::Role::client, .anchors = {root.certificate}, .crls = {root.crl(2)}, .answers = reload}))));
    // In TLS 1.3 the line can be there before the client was judged: both are then worked on in one turn.
    TlsClient one(to, client, version((turn & 4) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION));
    one.gather(1);
    if (one.shake_hands() && asks) one.send("GET small\n");
    one.gather(0);
    const auto answer = one.rest();
    EXPECT_TRUE(reloaded) << turn;
    EXPECT_TRUE(answer.bytes.empty()) << turn << answer.bytes;
  }
}

TEST_F(FileStreamTest, TheCertificateFollowsWhatTheClientCanVerify) {
  const Identity rsa = root.leaf(pki::Role::server, crypto::NewKey::rsa2048);
  settings.identities.push_back(served(rsa));
  start();
  for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [algorithms, expected] :
         {std::pair<const char*, const Identity*>{"RSA-PSS+SHA256:RSA+SHA256", &rsa}, {"ECDSA+SHA256", &p256}}) {
      TlsClient one(to, algorithms[0] == 'R' ? root.leaf(pki::Role::client, crypto::NewKey::rsa2048) : client,
                    [&, text = algorithms](SSL_CTX* context) {
                      version(number)(context);
                      SSL_CTX_set1_sigalgs_list(context, text);
                    });
      EXPECT_EQ(one.ask("GET small").bytes, "small") << algorithms;
      EXPECT_EQ(one.server(), expected->certificate) << algorithms;
    }
  }
}

TEST_F(FileStreamTest, EveryRefusedCertificateHasItsAlert) {
  start();
  const Identity stranger = Authority::root("another root").leaf(pki::Role::client);
  const Identity server = root.leaf(pki::Role::server);
  const Identity revoked = root.leaf(pki::Role::client);
  const Identity expired = root.leaf({.role = pki::Role::client, .validity = around(kNow - 200 * kDay)});
  const Identity early = root.leaf({.role = pki::Role::client, .validity = around(kNow + 50 * kDay)});
  stream->reload(snapshot(trusting({revoked.certificate}, 2)));
  const auto expect = [&](const Identity& who, int alert) {
    for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      EXPECT_EQ(TlsClient(to, who, version(number)).alert(), alert) << number;
    }
  };
  expect(stranger, SSL_AD_UNKNOWN_CA);
  expect(server, SSL_AD_BAD_CERTIFICATE);
  expect(revoked, SSL_AD_CERTIFICATE_REVOKED);
  expect(expired, SSL_AD_CERTIFICATE_EXPIRED);
  expect(early, SSL_AD_CERTIFICATE_EXPIRED);
  stream->reload(snapshot(trust(pki::Role::client, root, {})));
  expect(client, SSL_AD_CERTIFICATE_UNKNOWN);
  stream->reload(snapshot(trusting()));
  clock.advance(11 * kDay);  // beyond the revocation list
  expect(client, SSL_AD_CERTIFICATE_UNKNOWN);
}

TEST_F(FileStreamTest, AClientThatOffersOtherProtocolsAloneIsRefused) {
  start();
  for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient other(to, client, [&](SSL_CTX* context) {
      version(number)(context);
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    });
    EXPECT_EQ(other.alert(), SSL_AD_NO_APPLICATION_PROTOCOL);
  }
}

TEST_F(FileStreamTest, ASessionIsTakenUpAgainButNotByWhoeverWasRevokedSince) {
  start();
  for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Identity leaver = root.leaf(pki::Role::client);
    TlsClient first(to, leaver, version(number));
    ASSERT_EQ(first.ask("GET small").bytes, "small");
    TlsClient second(to, leaver, version(number));
    second.resume(first);
    EXPECT_EQ(second.ask("GET small").bytes, "small");
    EXPECT_TRUE(second.resumed());
    stream->reload(snapshot(trusting({leaver.certificate}, 2)));
    TlsClient third(to, leaver, version(number));
    third.resume(second);
    EXPECT_EQ(third.alert(), SSL_AD_CERTIFICATE_REVOKED) << number;
  }
}

TEST_F(FileStreamTest, ASessionLivesNoLongerThanItMay) {
  start();
  TlsClient first(to, client, version(TLS1_2_VERSION));
  ASSERT_EQ(first.ask("GET small").bytes, "small");
  clock.advance(Seconds(3601));
  TlsClient second(to, client, version(TLS1_2_VERSION));
  second.resume(first);
  EXPECT_EQ(second.ask("GET small").bytes, "small");
  EXPECT_FALSE(second.resumed());
}

TEST_F(FileStreamTest, WhatAWorkerShakesHandsWithIsServedAsOthersAre) {
  settings.identities.front().on_token = true;
  start();
  const Identity revoked = root.leaf(pki::Role::client);
  stream->reload(snapshot(trusting({revoked.certificate}, 2)));
  for (const int number : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(to, client, version(number));
    EXPECT_EQ(first.ask("GET big").bytes, big);
    TlsClient second(to, client, version(number));
    second.resume(first);
    EXPECT_EQ(second.ask("GET small").bytes, "small");
    EXPECT_TRUE(second.resumed());
    EXPECT_EQ(TlsClient(to, revoked, version(number)).alert(), SSL_AD_CERTIFICATE_REVOKED);
  }
  EXPECT_FALSE(TlsClient(to, client, suites("AES128-GCM-SHA256")).shake_hands());
  expect_noted("usher_file_handshakes_total{result=\"no-common-suite\"} 1");
  expect_noted("usher_file_handshakes_total{result=\"revoked\"} 2");
}

class FileTokenTest : public FileStreamTest {
 protected:
  FileTokenTest() { settings.identities = {{.chain = {p256.certificate}, .key = token.key(), .on_token = true}}; }
  void TearDown() override {
    token.let_go();
    FileStreamTest::TearDown();
  }
  /// A handshake whose signature hangs.
  std::unique_ptr<TlsClient> stuck() const {
    auto one = std::make_unique<TlsClient>(to, client);
    one->begin();
    return one;
  }
  /// As file_stream.cpp has them.
  const int workers = static_cast<int>(std::max(4U, 2 * std::thread::hardware_concurrency()));
  HangingKey token{p256.key};
};

TEST_F(FileTokenTest, ACallThatHangsHoldsUpOneHandshakeAlone) {
  start();
  TlsClient open(to, client);
  ASSERT_TRUE(open.shake_hands());
  open.send("GET big\n");
  const std::size_t begun = open.some().size();
  token.hang(1);
  const auto waits = stuck();
  ASSERT_TRUE(token.hangs(1));
  EXPECT_EQ(begun + open.rest().bytes.size(), kBig);
  EXPECT_EQ(ask("GET small").bytes, "small") << "the token hung once only";
  token.let_go();
  EXPECT_EQ(waits->ask("GET small").bytes, "small");
}

TEST_F(FileTokenTest, WhereEveryCallHangsTransfersGoOnAndHandshakesAreCutAtTheirTime) {
  options.limits.handshake_time = Milliseconds(5'000);
  options.limits.line_time = Milliseconds(60'000);
  start();
  TlsClient open(to, client);
  TlsClient idle(to, client);
  ASSERT_TRUE(open.shake_hands() && idle.shake_hands());
  open.send("GET big\n");
  const std::size_t begun = open.some().size();
  token.hang(1'000'000);
  std::vector<std::unique_ptr<TlsClient>> waiting;
  for (int i = 0; i < 2 * workers; ++i) waiting.push_back(stuck());
  ASSERT_TRUE(token.hangs(workers)) << "as many as there are workers; the others wait";
  EXPECT_EQ(begun + open.rest().bytes.size(), kBig);
  idle.send("LIST\n");
  EXPECT_TRUE(idle.rest().whole) << "other workers make lists";
  for (const auto& one : waiting) EXPECT_FALSE(one->shake_hands());
  expect_noted("usher_file_handshakes_total{result=\"timeout\"} " + std::to_string(2 * workers));
  token.let_go();
  EXPECT_EQ(ask("GET small").bytes, "small");
  EXPECT_TRUE(eventually([&] { return stream->drained(); })) << "what a worker had is released once it is back";
}

TEST_F(FileTokenTest, WhatCannotBeQueuedIsClosed) {
  options.limits.handshake_time = Milliseconds(1'000);
  options.limits.connections_per_address = static_cast<std::size_t>(workers) + 1;
  start();
  token.hang(1'000'000);
  std::vector<std::unique_ptr<TlsClient>> waiting;
  for (int i = 0; i < workers + 1; ++i) waiting.push_back(stuck());
  ASSERT_TRUE(token.hangs(workers));
  for (const auto& one : waiting) EXPECT_FALSE(one->shake_hands());
  EXPECT_FALSE(TlsClient(to, client).shake_hands());
  expect_noted("usher_file_handshakes_total{result=\"server-busy\"} 1");
}

TEST_F(FileTokenTest, DrainingClosesAHandshakeThatAWorkerHas) {
  start();
  token.hang(1);
  const auto waits = stuck();
  ASSERT_TRUE(token.hangs(1));
  stream->drain();
  EXPECT_TRUE(waits->ended());
  token.let_go();
  EXPECT_TRUE(eventually([&] { return stream->drained(); }));
}

TEST_F(FileStreamTest, KeyTransportIsNotOfferedByItself) {
  settings.identities = {served(root.leaf(pki::Role::server, crypto::NewKey::rsa2048))};
  start();
  EXPECT_FALSE(TlsClient(to, client, suites("AES128-GCM-SHA256")).shake_hands());
  expect_noted("usher_file_handshakes_total{result=\"no-common-suite\"} 1");
}

TEST_F(FileStreamTest, KeyTransportIsForClientsThatOfferNothingBetter) {
  const Identity transport = root.leaf(pki::Role::release_recipient, crypto::NewKey::rsa2048);
  settings.key_transport = served(transport);
  start();
  TlsClient poor(to, client, suites("AES128-GCM-SHA256"));
  EXPECT_EQ(poor.ask("GET small").bytes, "small");
  EXPECT_EQ(poor.suite(), "AES128-GCM-SHA256");
  EXPECT_EQ(poor.server(), transport.certificate);
  TlsClient better(to, client, suites("AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_EQ(better.ask("GET small").bytes, "small");
  EXPECT_EQ(better.suite(), "ECDHE-ECDSA-CHACHA20-POLY1305");
  EXPECT_EQ(better.server(), p256.certificate);
}

TEST_F(FileStreamTest, KeyTransportNeedsACertificateForItAlone) {
  const Identity signing = root.leaf(pki::Role::server, crypto::NewKey::rsa2048);
  const Identity transport = root.leaf(pki::Role::release_recipient, crypto::NewKey::rsa2048);
  settings.key_transport = served(signing);
  media::test::expect_fault(FileContexts::make(settings), Fault::bad_config, "keyEncipherment");
  settings.key_transport = served(transport);
  settings.identities = {served(transport)};
  media::test::expect_fault(FileContexts::make(settings), Fault::bad_config, "nothing else");
}

TEST_F(FileStreamTest, TwoCertificatesOfOneKindAreRefused) {
  settings.identities = {served(p256), served(root.leaf(pki::Role::server))};
  media::test::expect_fault(FileContexts::make(settings), Fault::bad_config, "one kind");
  settings.identities.clear();
  media::test::expect_fault(FileContexts::make(settings), Fault::bad_config);
}

TEST_F(FileStreamTest, AHandshakeThatDoesNotEndIsCut) {
  options.limits.handshake_time = Milliseconds(100);
  start();
  EXPECT_TRUE(TlsClient(to, client).ended());
  expect_noted("usher_file_handshakes_total{result=\"timeout\"} 1");
}

TEST_F(FileStreamTest, ALineThatDoesNotEndIsCut) {
  options.limits.line_time = Milliseconds(100);
  start();
  TlsClient slow(to, client);
  ASSERT_TRUE(slow.shake_hands());
  slow.send("GET sma");
  EXPECT_FALSE(slow.rest().whole);
  expect_noted("usher_file_requests_total{code=\"timeout\",verb=\"none\"} 1");
}

TEST_F(FileStreamTest, AClientThatTakesNothingIsCutAndHarmsNobody) {
  options.limits.stall_time = Milliseconds(500);
  start();
  TlsClient lazy(to, client);
  ASSERT_TRUE(lazy.shake_hands());
  lazy.send("GET big\n");
  EXPECT_EQ(ask("GET small").bytes, "small");
  EXPECT_EQ(ask("GET big").bytes.size(), kBig);
  expect_noted("usher_file_requests_total{code=\"stalled\",verb=\"GET\"} 1");
  EXPECT_FALSE(lazy.rest().whole);
}

TEST_F(FileStreamTest, ARefusalLeavesNotBeforeTheNextStep) {
  start();
  for (const char* line : {"GET nothing", "nonsense", "GET ../x"}) {
    TlsClient one(to, client);
    ASSERT_TRUE(one.shake_hands());
    const auto begun = std::chrono::steady_clock::now();
    one.send(std::string(line) + "\n");
    const auto answer = one.rest();
    EXPECT_TRUE(answer.bytes.empty() && !answer.whole) << line;
    // A little less: the server's clock starts when the line is there.
    EXPECT_GE(std::chrono::steady_clock::now() - begun, Milliseconds(99)) << line;
  }
}

TEST_F(FileStreamTest, BytesAfterTheLineDoNotDisturbTheAnswer) {
  start();
  const auto answer = ask("GET big\n" + std::string(10'000, 'x'));
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.bytes.size(), kBig);
}

TEST_F(FileStreamTest, WhoeverIsRevokedLosesAnOpenConnection) {
  start();
  TlsClient open(to, client);
  ASSERT_TRUE(open.shake_hands());
  const Identity other = root.leaf(pki::Role::client);
  TlsClient stays(to, other);
  ASSERT_TRUE(stays.shake_hands());
  stream->reload(snapshot(trusting({client.certificate}, 2)));
  EXPECT_FALSE(open.rest().whole);
  stays.send("GET small\n");
  EXPECT_EQ(stays.rest().bytes, "small");
  ask("GET small");
  expect_noted("usher_file_handshakes_total{result=\"revoked\"} 1");
}

TEST_F(FileStreamTest, AReloadThatSharesNothingServesNothing) {
  start();
  stream->share_nothing(trusting());
  expect_refused("GET small");
}

TEST_F(FileStreamTest, ConnectionsOfOneAddressAreBounded) {
  options.limits.connections_per_address = 2;
  start();
  TlsClient first(to, client);
  TlsClient second(to, client);
  ASSERT_TRUE(first.shake_hands() && second.shake_hands());
  EXPECT_FALSE(TlsClient(to, client).shake_hands());
  expect_noted("usher_http_refused_total{listener=\"files\",reason=\"connections-per-address\"} 1");
}

TEST_F(FileStreamTest, DrainingEndsAnswersAndNothingElseIsBegun) {
  start();
  TlsClient idle(to, client);
  TlsClient busy(to, client);
  ASSERT_TRUE(idle.shake_hands() && busy.shake_hands());
  busy.send("GET big\n");
  const std::size_t begun = busy.some().size();
  ASSERT_GT(begun, 0U);
  stream->drain();
  EXPECT_TRUE(idle.rest().bytes.empty());
  const auto answer = busy.rest();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(begun + answer.bytes.size(), kBig);
  EXPECT_TRUE(eventually([&] { return stream->drained(); }));
}

TEST_F(FileStreamTest, MediaOfTheVaultComeSealedForTheClientAndNeverInTheClear) {
  const auto medium = media::memory_source(media::test::noise(100'000));
  const auto manifest = media::test::manifest_of(*medium);
  const fs::path home = directory.path / "vault";
  vault = must(media::Vault::open(home, media::test::vault_key(), randomness()));
  must(vault->import(media::memory_source(media::test::release_of(*medium, manifest)),
                     media::PrivateKeyUnwrapper(media::test::p256_key()),
                     [](const media::SignedManifest&) { return Result<>(); }));
  shares = {{.name = "vault", .media = {{"night.ogg", manifest.medium}}}};
  start();
  const Hash256 digest = crypto::sha256(media::test::noise(100'000));
  EXPECT_EQ(ask("SHA256 night.ogg").bytes.substr(0, 8), to_hex(digest).substr(0, 8));
  expect_refused("GET night.ogg");
  expect_refused("FROM 0 night.ogg");
  for (const char* verb : {"SEALED", "SEALED-CTR"}) {
    const auto answer = ask(std::string(verb) + " night.ogg");
    ASSERT_TRUE(answer.whole);
    const auto sealed = media::memory_source(to_bytes(view_of(answer.bytes)));
    const auto opened = media::SealedObject::open(sealed, must(media::Header::read(*sealed)).layout.object,
                                                  media::PrivateKeyUnwrapper(client.key));
    ASSERT_TRUE(opened) << verb;
    Bytes plain;
    for (std::uint64_t i = 0; i < opened->layout().chunks(); ++i) append(plain, must(opened->read_chunk(i)).expose());
    EXPECT_EQ(plain, media::test::noise(100'000)) << verb;
    EXPECT_TRUE(opened->is_file_of(digest));
    EXPECT_FALSE(opened->is_file_of(crypto::sha256(view_of("another"))));
  }
}

}  // namespace
}  // namespace usher::server::test
