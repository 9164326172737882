#include "client/engine/engine.h"

#include <gtest/gtest.h>

#include "unit/client/fake_server.h"

namespace usher::client {
namespace {

using test::FakeServer;
using test::FakeWorld;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() : server(world) {}

  EngineOptions options() {
    auto settings = std::make_shared<channel::ClientSettings>(
        channel::ClientSettings{.chain = {world.client.certificate},
                                .signer = std::make_shared<crypto::PrivateKey>(world.client.key),
                                .servers = world.trust_in(pki::Role::server),
                                .name = name});
    return {.settings = std::move(settings),
            .distributors = world.trust_in(pki::Role::distributor),
            .login =
                [this](const person::LoginTerms& terms) {
                  ++logins;
                  return person::make_login(world.person.key, {world.person.certificate}, terms, test::randomness());
                },
            .note = [this](std::string_view text) { notes.emplace_back(text); },
            .patience = patience,
            .first_pause = Milliseconds(1),
            .last_pause = Milliseconds(1),
            .cancelled = &cancelled};
  }
  Engine& connected() {
    engine = std::make_unique<Engine>(server, options(), test::randomness(), world.clock);
    const auto done = engine->connect();
    EXPECT_TRUE(done.has_value()) << explain(done.error());
    return *engine;
  }

  FakeWorld& world = FakeWorld::get();
  FakeServer server;
  pki::ServerName name = test::must(pki::ServerName::from_host("localhost"));
  Milliseconds patience{60'000};
  std::atomic<bool> cancelled{false};
  int logins = 0;
  std::vector<std::string> notes;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, ConnectsAndKnowsWhoWasAuthenticated) {
  Engine& client = connected();
  EXPECT_EQ(client.person().name, "Ana Silva");
  EXPECT_EQ(client.suite(), "ECDHE_AES256_GCM_SHA384");
  EXPECT_EQ(logins, 1);
}

TEST_F(EngineTest, AServerOfAnotherNameIsRefusedBeforeAnybodyIsAskedForAPin) {
  name = test::must(pki::ServerName::from_host("other.example"));
  Engine client(server, options(), test::randomness(), world.clock);
  EXPECT_EQ(client.connect().error().fault, Fault::wrong_name);
  EXPECT_EQ(logins, 0);
}

TEST_F(EngineTest, TheFirstConnectionIsNotWaitedFor) {
  server.down = 1;
  Engine client(server, options(), test::randomness(), world.clock);
  EXPECT_EQ(client.connect().error().fault, Fault::unreachable);
}

TEST_F(EngineTest, AServerThatFetchesAListIsAskedEightTimesWithoutAnotherPin) {
  server.busy = 7;
  EXPECT_TRUE(Engine(server, options(), test::randomness(), world.clock).connect().has_value());
  EXPECT_EQ(server.handshakes, 8);
  EXPECT_EQ(logins, 1);
  server.busy = 8;
  EXPECT_EQ(Engine(server, options(), test::randomness(), world.clock).connect().error().fault, Fault::server_busy);
  EXPECT_EQ(server.handshakes, 16);
  EXPECT_EQ(logins, 1);
}

TEST_F(EngineTest, TheCatalogueHoldsWhatADistributorSigned) {
  const auto catalogue = connected().catalogue();
  ASSERT_TRUE(catalogue.has_value());
  ASSERT_EQ(catalogue->size(), 1U);
  ASSERT_TRUE(catalogue->front().medium.has_value()) << explain(catalogue->front().medium.error());
  EXPECT_EQ(catalogue->front().medium->manifest(), world.medium.manifest);
}

TEST_F(EngineTest, AManifestThatWasChangedIsListedAsRefused) {
  Engine& client = connected();
  server.tamper_manifest = true;
  const auto catalogue = client.catalogue();
  ASSERT_TRUE(catalogue.has_value());
  ASSERT_EQ(catalogue->size(), 1U);
  EXPECT_FALSE(catalogue->front().medium.has_value());
}

TEST_F(EngineTest, APlayOfAChangedManifestIsClosedAtOnce) {
  Engine& client = connected();
  server.tamper_manifest = true;
  EXPECT_FALSE(client.open({.medium = world.medium.manifest.medium, .licence = {}}).has_value());
  EXPECT_EQ(server.opened, 1);
  EXPECT_EQ(server.closed, 1);
}

TEST_F(EngineTest, ALostAnswerIsAskedForAgainAndBuysOnce) {
  Engine& client = connected();
  server.lose_path = wire::kPathLicense;
  server.lose_answers_to = 3;
  const auto bought = client.acquire({.medium = world.medium.manifest.medium, .kind = 1, .amount = 1});
  ASSERT_TRUE(bought.has_value()) << explain(bought.error());
  EXPECT_EQ(server.acquired, 1);
}

TEST_F(EngineTest, AnAnswerLostWithTheSessionBuysOnceToo) {
  Engine& client = connected();
  server.lose_path = wire::kPathOpen;
  server.lose_answers_to = 1;
  // The note of the trouble comes between the two attempts.
  EngineOptions changed = options();
  changed.note = [this](std::string_view) { server.forget_sessions(); };
  Engine other(server, std::move(changed), test::randomness(), world.clock);
  ASSERT_TRUE(other.connect().has_value());
  const auto play = other.open({.medium = world.medium.manifest.medium, .licence = {}});
  ASSERT_TRUE(play.has_value()) << explain(play.error());
  EXPECT_EQ(server.opened, 1);
  EXPECT_GE(server.handshakes, 3);
  static_cast<void>(client);
}

TEST_F(EngineTest, AReconnectNeedsNoPin) {
  Engine& client = connected();
  server.forget_sessions();
  ASSERT_TRUE(client.catalogue().has_value());
  EXPECT_EQ(server.handshakes, 2);
  EXPECT_EQ(server.authentications, 2);
  EXPECT_EQ(logins, 1);
}

TEST_F(EngineTest, TroubleAndRecoveryAreEachToldOnce) {
  Engine& client = connected();
  server.down = 5;
  ASSERT_TRUE(client.catalogue().has_value());
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0], "The connection to the server is lost (unreachable); trying again …");
  EXPECT_EQ(notes[1], "The server answers again.");
}

TEST_F(EngineTest, PatienceIsBounded) {
  patience = Milliseconds(20);
  Engine& client = connected();
  server.down = 1'000'000;
  EXPECT_EQ(client.catalogue().error().fault, Fault::unreachable);
}

TEST_F(EngineTest, WhoIsInterruptedWaitsNoLonger) {
  Engine& client = connected();
  server.down = 1'000'000;
  cancelled = true;
  EXPECT_EQ(client.catalogue().error().fault, Fault::cancelled);
}

TEST_F(EngineTest, APlayGoesOnAfterTheServerWasRestarted) {
  Engine& client = connected();
  const auto play = client.open({.medium = world.medium.manifest.medium, .licence = {}});
  ASSERT_TRUE(play.has_value());
  std::atomic<int> fetched{0};
  Bytes heard;
  {
    Fetcher fetcher(world.medium.manifest, [&](std::uint32_t chunk, const std::atomic<bool>& stop) {
      if (++fetched == 10) server.forget_sessions();
      return client.chunk(**play, chunk, stop);
    });
    for (;;) {
      const auto piece = fetcher.next();
      ASSERT_TRUE(piece.has_value()) << explain(piece.error());
      if (!*piece) break;
      append(heard, (*piece)->expose());
    }
  }
  EXPECT_EQ(heard, world.medium.bytes);
  EXPECT_EQ(server.opened, 1);
  EXPECT_GE(server.resumed, 1);
  EXPECT_EQ(logins, 1);
  const auto closed = client.close(**play);
  ASSERT_TRUE(closed.has_value()) << explain(closed.error());
  EXPECT_TRUE(closed->refunded);
}

TEST_F(EngineTest, APlayThatWasResumedElsewhereStops) {
  Engine& client = connected();
  const auto play = client.open({.medium = world.medium.manifest.medium, .licence = {}});
  ASSERT_TRUE(play.has_value());
  ++server.epoch;
  const std::atomic<bool> never{false};
  EXPECT_EQ(client.chunk(**play, 0, never).error().fault, Fault::stale_epoch);
  EXPECT_EQ(client.close(**play).error().fault, Fault::stale_epoch);
}

TEST_F(EngineTest, ExitLeavesNothingToUse) {
  Engine& client = connected();
  client.exit();
  client.exit();
  EXPECT_EQ(client.suite(), "");
}

TEST_F(EngineTest, ALoginThatHasEndedIsNotRepeatedUnasked) {
  Engine& client = connected();
  server.forget_sessions();
  ManualClock& clock = world.clock;
  clock.set(test::kNow + std::chrono::hours(13));
  const auto listed = client.catalogue();
  clock.set(test::kNow);
  EXPECT_EQ(listed.error().fault, Fault::bad_statement);
  EXPECT_EQ(logins, 1);
}

}  // namespace
}  // namespace usher::client
