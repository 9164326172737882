#include "client/play/seek_keys.h"

#include <gtest/gtest.h>

namespace usher::client {
namespace {

constexpr std::uint64_t kLong = 7'200'000;
Milliseconds at(std::int64_t milliseconds) { return Milliseconds(milliseconds); }

TEST(SeekKeys, AnArrowIsTenSecondsOnceItRests) {
  SeekKeys keys(kLong);
  keys.press(Key::forward, 60'000, at(1'000));
  EXPECT_EQ(keys.target(), 70'000U);
  EXPECT_FALSE(keys.settled(at(1'600)).has_value());
  EXPECT_EQ(keys.settled(at(1'700))->ms, 70'000U);
  EXPECT_FALSE(keys.settled(at(2'000)).has_value());
  keys.press(Key::back, 4'000, at(5'000));
  EXPECT_EQ(keys.settled(at(6'000))->ms, 0U);
}

TEST(SeekKeys, StepsGrowWhileTheKeyIsHeldAndBeginAnewAfterwards) {
  SeekKeys keys(kLong);
  std::int64_t now = 1'000;
  const auto hold = [&](int times) {
    for (int i = 0; i < times; ++i, now += 100) keys.press(Key::forward, 0, at(now));
  };
  hold(4);
  EXPECT_EQ(keys.target(), 40'000U);
  hold(8);
  EXPECT_EQ(keys.target(), 280'000U);
  hold(2);
  EXPECT_EQ(keys.target(), 400'000U);
  EXPECT_EQ(keys.settled(at(now + 700))->ms, 400'000U);
  keys.press(Key::forward, 400'000, at(now + 800));
  EXPECT_EQ(keys.target(), 410'000U);
}

TEST(SeekKeys, RepetitionsThatComeFasterThanTheyAreSeenAreOne) {
  SeekKeys keys(kLong);
  for (int i = 0; i < 10; ++i) keys.press(Key::forward, 0, at(1'000 + i));
  EXPECT_EQ(keys.target(), 10'000U);
}

TEST(SeekKeys, NeverLeavesTheMedium) {
  SeekKeys keys(25'000);
  keys.press(Key::forward, 20'000, at(0));
  EXPECT_FALSE(keys.settled(at(1'000)).has_value());
  for (const char c : std::string("9:59")) keys.press(Key{static_cast<std::uint8_t>(c)}, 0, at(2'000));
  keys.press(Key::enter, 0, at(2'000));
  EXPECT_EQ(keys.settled(at(2'000))->ms, 24'999U);
}

TEST(SeekKeys, ATimeIsTypedAndGoneToWithEnter) {
  SeekKeys keys(kLong);
  for (const char c : std::string("1:239")) keys.press(Key{static_cast<std::uint8_t>(c)}, 0, at(0));
  keys.press(Key::erase, 0, at(0));
  EXPECT_EQ(keys.typed(), "1:23");
  EXPECT_FALSE(keys.settled(at(9'000)).has_value());
  keys.press(Key::enter, 0, at(9'000));
  EXPECT_EQ(keys.settled(at(9'000))->ms, 83'000U);
  EXPECT_EQ(keys.typed(), "");
}

TEST(SeekKeys, AWishThatIsHeldNeedsTheSameKeyAgain) {
  SeekKeys keys(kLong);
  keys.press(Key::forward, 0, at(0));
  auto wish = keys.settled(at(700));
  ASSERT_TRUE(wish.has_value());
  EXPECT_FALSE(wish->confirmed);
  keys.hold(*wish, at(700));
  keys.press(Key::forward, 2'000, at(2'000));
  wish = keys.settled(at(2'000));
  ASSERT_TRUE(wish.has_value());
  EXPECT_TRUE(wish->confirmed);
  EXPECT_EQ(wish->ms, 10'000U);
}

TEST(SeekKeys, AKeyThatIsStillHeldConfirmsNothing) {
  SeekKeys keys(kLong);
  keys.press(Key::forward, 0, at(0));
  keys.hold(*keys.settled(at(700)), at(700));
  // Slow repetitions, as terminals and hands make them; the first may come late.
  for (std::int64_t now = 800; now < 8'000; now += 400) {
    keys.press(Key::forward, 0, at(now));
    EXPECT_FALSE(keys.settled(at(now)).has_value()) << now;
  }
  keys.press(Key::forward, 0, at(9'200));
  EXPECT_TRUE(keys.settled(at(9'200))->confirmed);
}

TEST(SeekKeys, AHeldWishIsForgottenAfterTenSecondsAndByAPause) {
  SeekKeys keys(kLong);
  keys.press(Key::forward, 0, at(0));
  keys.hold(*keys.settled(at(700)), at(700));
  keys.press(Key::forward, 300'000, at(60'000));
  auto wish = keys.settled(at(60'700));
  EXPECT_FALSE(wish->confirmed);
  EXPECT_EQ(wish->ms, 310'000U);
  keys.hold(*wish, at(60'700));
  keys.give_up();
  keys.press(Key::forward, 300'000, at(62'000));
  EXPECT_FALSE(keys.settled(at(62'700))->confirmed);
}

TEST(SeekKeys, AnotherKeyGivesAHeldWishUp) {
  SeekKeys keys(kLong);
  keys.press(Key::forward, 50'000, at(0));
  keys.hold(*keys.settled(at(700)), at(700));
  keys.press(Key::back, 50'000, at(2'000));
  const auto wish = keys.settled(at(2'700));
  EXPECT_FALSE(wish->confirmed);
  EXPECT_EQ(wish->ms, 40'000U);
}

}  // namespace
}  // namespace usher::client
