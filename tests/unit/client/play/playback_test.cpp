// A whole playback with a scripted player, and a clock that is moved by hand.
#include "client/play/playback.h"

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "unit/client/medium.h"

namespace usher::client {
namespace {

/// Takes everything at once; shows the scripted clock.
struct Script {
  std::mutex mutex;
  std::optional<double> clock;
  bool ended = false;
  std::size_t taken = 0;  // bytes, by all its players
  int started = 0;
};
class FakePlayer final : public Player {
 public:
  explicit FakePlayer(Script& script) : script_(script) {}
  Result<> write(View bytes, const std::atomic<bool>& stop) override {
    if (stop) return fail(Fault::cancelled, "fake");
    const std::scoped_lock lock(script_.mutex);
    script_.taken += bytes.size();
    return {};
  }
  void finish() override {}
  bool poll(int) override { return script_.ended; }
  [[nodiscard]] Result<> verdict() const override { return {}; }
  [[nodiscard]] std::optional<double> clock() const override { return script_.clock; }
  bool pause(bool) override { return true; }
  void kill() override {}

 private:
  Script& script_;
};

/// A medium of one chunk a second, in 100 seconds; a play that counts after 30 s.
class PlaybackTest : public ::testing::Test, public PlaybackView {
 protected:
  static constexpr std::uint64_t kSecond = 4096;  // bytes

  PlaybackTest() : medium(test::pattern(100 * kSecond), 4096, 100'000) {
    for (std::uint64_t s = 2; s < 100; s += 2) {
      medium.manifest.seek.push_back({.time_ms = s * 1'000, .offset = s * kSecond});
    }
  }
  /// `step` is called at each look, ten times a second by the manual clock.
  Result<PlaybackEnd> play(const wire::Opened& opened, std::function<void(int look)> step) {
    on_look = std::move(step);
    fetcher.emplace(medium.manifest, get ? get : medium.getter(),
                    FetcherOptions{.plan = PlayPlan(medium.manifest, opened, asked)});
    return play_back(*fetcher,
                     {.own = &own,
                      .start = [this]() -> Result<std::unique_ptr<Player>> {
                        ++script.started;
                        return std::make_unique<FakePlayer>(script);
                      },
                      .now = [this] { return now; }},
                     *this);
  }
  void position(const PlayPosition& shown) override {
    last = shown;
    now += Milliseconds(100);
    on_look(looks++);
    // house-rule(endless-loop): one turn for the threads that fetch, and no loop
    std::this_thread::yield();
  }
  std::vector<Key> keys() override { return std::exchange(pressed, {}); }
  void note(std::string_view sentence) override { notes.emplace_back(sentence); }
  std::size_t taken() {
    const std::scoped_lock lock(script.mutex);
    return script.taken;
  }
  void wait_until_taken(std::size_t bytes) {
    ASSERT_TRUE(test::eventually([&] { return taken() >= bytes; })) << taken() << " of " << bytes;
  }

  test::TestMedium medium;
  GetChunk get;
  wire::ChunkRanges asked;
  HeardClock own;
  Script script;
  std::optional<Fetcher> fetcher;
  std::function<void(int look)> on_look;
  std::vector<Key> pressed;
  std::vector<std::string> notes;
  PlayPosition last;
  Milliseconds now{0};
  int looks = 0;
};

TEST_F(PlaybackTest, GivesThePlayerEightSecondsBeyondItsClockAndNoByteMore) {
  const auto end = play(test::standing(38), [this](int look) {
    // The limit of the previous look: the player takes all that is allowed, and no more, however long the test waits.
    if (look > 0) wait_until_taken((8 * 10 + static_cast<std::size_t>(look) - 1) * kSecond / 10);
    EXPECT_LE(taken(), (8 * 10 + static_cast<std::size_t>(look)) * kSecond / 10 + kSecond / 10);
    script.clock = look / 10.0;
    if (look == 50) pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->finished);
  EXPECT_EQ(end->elapsed_ms, 4'900U);
  EXPECT_EQ(own.heard_ms(), 4'900U);
  EXPECT_FALSE(fetcher->plan().committed());
}

TEST_F(PlaybackTest, StandsStillAndSaysSoWhileTheServerIsWaitedFor) {
  // No chunk from the fifth second on arrives.
  get = [this](std::uint32_t chunk, const std::atomic<bool>& stop) -> Result<wire::ChunkBody> {
    EXPECT_TRUE(test::eventually([&] { return chunk < 5 || stop; }));
    if (chunk >= 5) return fail(Fault::cancelled, "test");
    return medium.body(chunk);
  };
  const auto end = play(test::standing(38), [this](int look) {
    wait_until_taken(5 * kSecond);
    script.clock = look / 10.0;  // as ffplay's, it runs on over silence
    if (look >= 80 && last.flow == Flow::waiting) pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(last.elapsed_ms, 5'000U);
  EXPECT_EQ(last.flow, Flow::waiting);
  EXPECT_EQ(own.heard_ms(), 5'000U);
}

TEST_F(PlaybackTest, ASeekThatMakesThePlayCountWaitsForASecondPress) {
  const auto end = play(test::standing(0, {{.first = 0, .count = 38}}), [this](int look) {
    script.clock = 0.0;
    if (look == 0) {
      for (const char c : std::string("1:00\n")) pressed.push_back(Key{static_cast<std::uint8_t>(c)});
    }
    if (look == 50) {
      EXPECT_EQ(notes.size(), 1U);
      EXPECT_EQ(script.started, 1);
      EXPECT_FALSE(fetcher->plan().committed());
      pressed = {Key::enter};
    }
    if (script.started == 2) pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0], "At 1:00 the play counts. Let go, and press the key again to go there all the same.");
  EXPECT_EQ(script.started, 2);
  EXPECT_EQ(end->elapsed_ms, 60'000U);
}

TEST_F(PlaybackTest, ASeekThatNeedsRepeatsIsRefusedWhereFewAreLeft) {
  asked = {{.first = 50, .count = 30}};
  const auto end = play(test::committed(63), [this](int look) {
    script.clock = 0.0;
    if (look == 0) {
      for (const char c : std::string("1:00\n")) pressed.push_back(Key{static_cast<std::uint8_t>(c)});
    }
    if (!notes.empty()) pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("sent once more"), std::string::npos);
  EXPECT_EQ(script.started, 1);
}

TEST_F(PlaybackTest, APassageThatIsHeardAgainIsNotAskedForAgainAndCountsOnce) {
  const auto end = play(test::standing(38), [this](int look) {
    if (look > 0 && look < 150) wait_until_taken((79 + static_cast<std::size_t>(look)) * kSecond / 10);
    script.clock = look < 150 ? look / 10.0 : 0.0;
    if (look == 150) pressed = {Key::back};
    if (script.started == 2) pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(script.started, 2);
  EXPECT_EQ(own.heard_ms(), 14'900U);
  EXPECT_EQ(fetcher->plan().repeats_left(), 176U);
}

TEST_F(PlaybackTest, APlayerThatDoesNotBeginIsGivenMoreAndThenTold) {
  const auto end = play(test::standing(38), [this](int look) {
    if (look == 0) wait_until_taken(8 * kSecond);
    if (last.flow != Flow::silent) return;
    wait_until_taken(10 * kSecond);
    pressed = {Key::quit};
  });
  ASSERT_TRUE(end.has_value());
  EXPECT_GE(taken(), 10 * kSecond);
  EXPECT_EQ(own.heard_ms(), 0U);
  EXPECT_FALSE(fetcher->plan().committed());
}

}  // namespace
}  // namespace usher::client
