// Whole plays against a server in this process: which plays are kept, which are given back, and how a play is resumed.
#include "client/listener.h"

#include <gtest/gtest.h>

#include "fake_server.h"
#include "support/temporary_folder.h"

namespace usher::client {
namespace {

using test::FakeServer;
using test::FakeWorld;

class SilentView final : public PlayView {
 public:
  void opened(const VerifiedMedium&, std::uint32_t, bool resumed, const CountsFrom& from) override {
    was_resumed = resumed;
    counts = from;
    announced = true;
  }
  void position(const PlayPosition& now) override {
    EXPECT_TRUE(announced) << "something was heard before anything was said";
    last = now;
    if (on_position) on_position(now);
  }
  std::vector<Key> keys() override { return {}; }
  void note(std::string_view sentence) override { notes.emplace_back(sentence); }
  [[nodiscard]] bool noted(std::string_view part) const {
    return std::ranges::any_of(notes, [part](const std::string& note) { return note.find(part) != std::string::npos; });
  }
  bool announced = false;
  bool was_resumed = false;
  CountsFrom counts;
  PlayPosition last;
  std::vector<std::string> notes;
  std::function<void(const PlayPosition&)> on_position;
};

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() : server(world) {
    auto settings = std::make_shared<channel::ClientSettings>(
        channel::ClientSettings{.chain = {world.client.certificate},
                                .signer = std::make_shared<crypto::PrivateKey>(world.client.key),
                                .servers = world.trust_in(pki::Role::server),
                                .name = test::must(pki::ServerName::from_host("localhost"))});
    engine.emplace(server,
                   EngineOptions{.settings = std::move(settings),
                                 .distributors = world.trust_in(pki::Role::distributor),
                                 .login =
                                     [this](const person::LoginTerms& terms) {
                                       return person::make_login(world.person.key, {world.person.certificate}, terms,
                                                                 test::randomness());
                                     },
                                 .patience = Milliseconds(20),
                                 .first_pause = Milliseconds(1),
                                 .last_pause = Milliseconds(1)},
                   test::randomness(), world.clock);
    test::must(engine->connect());
    wallet.emplace(test::must(Wallet::open(folder / "home", engine->person(), {}, world.clock)));
    listener.emplace(*engine, *wallet, world.clock, "http://localhost");
    request.player.command = folder.script("player", "exec cat > /dev/null");
    request.interrupted = &interrupted;
  }
  Result<PlayReport> play() { return listener->play(medium(), request, view); }
  [[nodiscard]] Id128 medium() const { return world.medium.manifest.medium; }
  [[nodiscard]] std::vector<UnfinishedPlay> unfinished() const {
    return wallet->unfinished(medium(), world.clock.now());
  }

  FakeWorld& world = FakeWorld::get();
  FakeServer server;
  test::TemporaryFolder folder;
  std::optional<Engine> engine;
  std::optional<Wallet> wallet;
  std::optional<LiveListener> listener;
  std::atomic<bool> interrupted{false};
  PlayRequest request;
  SilentView view;
};

TEST_F(ListenerTest, SaysBeforeAnythingIsHeardWhenThePlayBeginsToCount) {
  const auto report = play();
  ASSERT_TRUE(report.has_value()) << explain(report.error());
  EXPECT_TRUE(view.announced);
  EXPECT_EQ(view.counts.kind, CountsFrom::Kind::time);
  EXPECT_GT(view.counts.ms, 0U);
  EXPECT_LE(view.counts.ms, 30'000U);  // commit_after; the medium is a minute long
  EXPECT_TRUE(report->finished);
  EXPECT_TRUE(unfinished().empty());
}

TEST_F(ListenerTest, WhoStopsOnPurposeClosesThePlayAndLearnsWhatThatDid) {
  request.player.command = folder.script("slow", "exec sleep 600");
  view.on_position = [this](const PlayPosition&) { interrupted = true; };
  const auto report = play();
  ASSERT_TRUE(report.has_value()) << explain(report.error());
  EXPECT_FALSE(report->finished);
  EXPECT_TRUE(report->refunded);
  EXPECT_FALSE(report->committed);
  EXPECT_EQ(server.closed, 1);
  EXPECT_TRUE(unfinished().empty());
}

TEST_F(ListenerTest, ASpentBudgetNeverClosesThePlay) {
  server.refuse_chunks_from = 12;
  server.refusal = wire::Status::budget_spent;
  const auto report = play();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().fault, Fault::budget_spent);
  EXPECT_EQ(server.closed, 0);
  ASSERT_EQ(unfinished().size(), 1U);
  EXPECT_TRUE(view.noted("The play is kept"));
}

TEST_F(ListenerTest, APlayThatWasCutOffGoesOnWithItsOwnClockAndWhatWasAskedFor) {
  server.refuse_chunks_from = 12;
  server.refusal = wire::Status::server_busy;
  ASSERT_FALSE(play().has_value());
  ASSERT_EQ(unfinished().size(), 1U);
  const UnfinishedPlay kept = unfinished()[0];
  EXPECT_GT(kept.own.heard_ms(), 10'000U);
  EXPECT_TRUE(wire::contains(kept.asked, 11));
  EXPECT_FALSE(wire::contains(kept.asked, 20));
  server.refuse_chunks_from = ~std::uint32_t{0};
  view = {};
  const auto report = play();
  ASSERT_TRUE(report.has_value()) << explain(report.error());
  EXPECT_TRUE(view.was_resumed);
  EXPECT_TRUE(report->resumed);
  EXPECT_EQ(server.opened, 1);
  EXPECT_EQ(server.closed, 1);
  EXPECT_TRUE(unfinished().empty());
}

TEST_F(ListenerTest, APlayThatWasResumedElsewhereKeepsItsMark) {
  request.player.command = folder.script("slow", "exec sleep 600");
  view.on_position = [this](const PlayPosition&) {
    if (!interrupted) ++server.epoch;  // another device has it now
    interrupted = true;
  };
  const auto report = play();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().fault, Fault::stale_epoch);
  EXPECT_EQ(unfinished().size(), 1U);
}

TEST_F(ListenerTest, APlayThatIsOverAtTheServerLosesItsMark) {
  server.refuse_chunks_from = 12;
  server.refusal = wire::Status::play_expired;
  EXPECT_EQ(play().error().fault, Fault::play_expired);
  EXPECT_TRUE(unfinished().empty());
}

TEST(CheckScreen, AVideoWithoutAScreenIsRefusedByName) {
  PlayerSpec player;
  EXPECT_EQ(check_screen(player, media::MediaKind::video, false).error().fault, Fault::no_screen);
  EXPECT_TRUE(check_screen(player, media::MediaKind::audio, false).has_value());
  EXPECT_FALSE(player.video);
  ASSERT_TRUE(check_screen(player, media::MediaKind::video, true).has_value());
  EXPECT_EQ(std::ranges::count(player.arguments(), "-nodisp"), 0);
  player.command = "/opt/screenless";
  EXPECT_TRUE(check_screen(player, media::MediaKind::video, false).has_value());
}

}  // namespace
}  // namespace usher::client
