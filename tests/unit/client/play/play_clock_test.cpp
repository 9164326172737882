// The player's clock as the listener hears it: with a manual clock and no player.
#include "client/play/play_clock.h"

#include <gtest/gtest.h>

namespace usher::client {
namespace {

using Need = Given::Need;

/// Looks ten times a second.
class Watch {
 public:
  explicit Watch(std::uint64_t start_ms = 0) : clock(start_ms, now) {}
  PlayClock::Step look(std::optional<double> shown, Given given, bool paused = false) {
    now += Milliseconds(100);
    return clock.look(shown, given, paused, now);
  }
  void look_for(int times, std::optional<double> shown, Given given, bool paused = false) {
    for (int i = 0; i < times; ++i) look(shown, given, paused);
  }
  Milliseconds now{1'000};
  PlayClock clock;
};

TEST(PlayClock, FollowsThePlayer) {
  Watch watch;
  watch.look(0.0, {.ms = 8'000});
  const PlayClock::Step step = watch.look(0.25, {.ms = 8'000});
  EXPECT_EQ(step.from, 0U);
  EXPECT_EQ(step.to, 250U);
  EXPECT_EQ(watch.clock.flow(), Flow::playing);
}

TEST(PlayClock, OfAPlayerThatStartedInTheMiddleIsOneOrTheOther) {
  Watch absolute(60'000);
  absolute.look(60.1, {.ms = 68'000});
  EXPECT_EQ(absolute.clock.position(), 60'100U);
  Watch relative(60'000);
  relative.look(0.1, {.ms = 68'000});
  EXPECT_EQ(relative.clock.position(), 60'100U);
}

TEST(PlayClock, DoesNotRunOnOverSilence) {
  Watch watch;
  double shown = 7.0;
  watch.look_for(2, shown, {.ms = 8'000});
  for (int i = 0; i < 60; ++i) watch.look(shown += 0.1, {.ms = 8'000, .need = Need::server});
  EXPECT_EQ(watch.clock.position(), 8'000U);
  EXPECT_EQ(watch.clock.flow(), Flow::waiting);
  // The server answers: ffplay's clock falls back to what it plays.
  watch.look(8.1, {.ms = 12'000});
  EXPECT_EQ(watch.clock.position(), 8'100U);
  EXPECT_EQ(watch.clock.flow(), Flow::playing);
}

TEST(PlayClock, APauseIsNoStallAndAJumpAfterItIsNotBelieved) {
  Watch watch;
  watch.look(1.0, {.ms = 9'000});
  watch.look(1.0, {.ms = 9'000});
  watch.look_for(100, 1.0, {.ms = 9'000, .need = Need::limit}, true);
  EXPECT_EQ(watch.clock.flow(), Flow::playing);
  EXPECT_EQ(watch.clock.more(), 0U);
  watch.look(11.0, {.ms = 9'000});
  EXPECT_EQ(watch.clock.position(), 1'000U);
  watch.look(1.2, {.ms = 9'000});
  EXPECT_EQ(watch.clock.position(), 1'200U);
}

TEST(PlayClock, AJumpThatStaysIsBelieved) {
  Watch watch;
  watch.look(5.0, {.ms = 60'000});
  watch.look(5.1, {.ms = 60'000});
  EXPECT_EQ(watch.clock.position(), 5'100U);
}

TEST(PlayClock, APlayerThatDoesNotBeginIsGivenMoreStepByStep) {
  Watch watch;
  watch.look_for(5, std::nullopt, {.ms = 8'000, .need = Need::limit});
  EXPECT_EQ(watch.clock.more(), 0U);
  watch.look_for(6, std::nullopt, {.ms = 8'000, .need = Need::limit});
  EXPECT_EQ(watch.clock.more(), 2'000U);
  watch.look_for(10, std::nullopt, {.ms = 10'000, .need = Need::limit});
  EXPECT_EQ(watch.clock.more(), 4'000U);
  watch.look_for(100'000, std::nullopt, {.ms = 10'000, .need = Need::limit});
  EXPECT_EQ(watch.clock.more(), 60'000U);
}

TEST(PlayClock, WhatAStallMadeMoreIsOverWhenThePlayerGoesOn) {
  Watch watch;
  watch.look(1.0, {.ms = 9'000});
  watch.look(1.1, {.ms = 9'000});
  watch.look_for(100, 1.1, {.ms = 9'000, .need = Need::limit});
  EXPECT_GT(watch.clock.more(), 0U);
  EXPECT_TRUE(watch.clock.begun());
  watch.look(1.2, {.ms = 9'000, .need = Need::limit});
  EXPECT_EQ(watch.clock.more(), 0U);
}

TEST(PlayClock, AServerThatIsGoneIsNoReasonToGiveMore) {
  Watch watch;
  watch.look_for(300, std::nullopt, {.ms = 2'000, .need = Need::server});
  EXPECT_EQ(watch.clock.more(), 0U);
  EXPECT_EQ(watch.clock.flow(), Flow::waiting);
}

TEST(PlayClock, APlayerThatHasPlentyAndDoesNotPlayIsTold) {
  Watch watch;
  watch.look(1.0, {.ms = 9'000});
  watch.look(1.0, {.ms = 9'000});
  watch.look_for(30, 1.0, {.ms = 9'000, .need = Need::player});
  EXPECT_EQ(watch.clock.flow(), Flow::playing);
  watch.look_for(30, 1.0, {.ms = 9'000, .need = Need::player});
  EXPECT_EQ(watch.clock.flow(), Flow::silent);
  watch.look(1.2, {.ms = 9'000});
  EXPECT_EQ(watch.clock.flow(), Flow::playing);
}

TEST(PlayClock, OfAPlayerWithoutOneIsWhatItHasTaken) {
  PlayClock clock(5'000, Milliseconds(0));
  EXPECT_EQ(clock.look_taken({.ms = 6'000}, Milliseconds(100)).to, 6'000U);
  EXPECT_EQ(clock.look_taken({.ms = 5'500}, Milliseconds(200)).to, 6'000U);
  clock.look_taken({.ms = 6'000, .need = Need::server}, Milliseconds(1'200));
  EXPECT_EQ(clock.flow(), Flow::waiting);
}

}  // namespace
}  // namespace usher::client
