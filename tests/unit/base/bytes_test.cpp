#include "base/bytes.h"

#include "base/clock.h"

namespace usher {
namespace {

TEST(Bytes, ConcatPutsThePartsOneAfterTheOther) {
  EXPECT_EQ(concat({view_of("a"), View{}, view_of("bc")}), (Bytes{'a', 'b', 'c'}));
  EXPECT_TRUE(concat({}).empty());
}

TEST(Bytes, SameComparesLengthAndContent) {
  EXPECT_TRUE(same(view_of("abc"), view_of("abc")));
  EXPECT_FALSE(same(view_of("abc"), view_of("abd")));
  EXPECT_FALSE(same(view_of("abc"), view_of("ab")));
  EXPECT_TRUE(same({}, {}));
}

TEST(Bytes, ArrayOfTakesTheFirstBytes) {
  EXPECT_EQ(array_of<2>(view_of("abc")), (std::array<std::uint8_t, 2>{'a', 'b'}));
}

TEST(Time, BecomesWholeSecondsAndComesBack) {
  EXPECT_EQ(unix_seconds(from_unix_seconds(1'700'000'000)), 1'700'000'000);
  EXPECT_EQ(unix_seconds(Time{Milliseconds{1'999}}), 1);
}

TEST(Time, BeforeTheEpochIsRoundedDown) { EXPECT_EQ(unix_seconds(Time{Milliseconds{-1}}), -1); }

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(from_unix_seconds(100));
  EXPECT_EQ(clock.now(), clock.now());
  clock.advance(Seconds{5});
  EXPECT_EQ(unix_seconds(clock.now()), 105);
  clock.set(from_unix_seconds(7));
  EXPECT_EQ(unix_seconds(clock.now()), 7);
}

}  // namespace
}  // namespace usher
