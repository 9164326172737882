// The free part and the repeats: examples computed by hand, and what holds for every medium. licence.md §5.2, §5.4.
#include "licence/counting.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace usher::licence {
namespace {

Extent even(std::uint32_t chunks, std::int64_t duration_ms) {
  return {.chunks = chunks,
          .duration = Milliseconds(duration_ms),
          .structure = {},
          .seconds = wire::even_seconds(chunks, Milliseconds(duration_ms))};
}

TEST(FreePart, OfALongMediumIsTheThresholdAndTheBuffer) {
  // One chunk in two seconds: c(38) = 19 of 114.
  EXPECT_EQ(free_part(even(114, 228'000), Seconds(30)), (FreePart{.chunks = 19, .promise = Seconds(30)}));
}

TEST(FreePart, IsHalfOfAShortMediumAtMost) {
  // 20 chunks of 2 s: c(38) = 19 is more than half, so F = 10; c(20) = 10, T = 20 − min(8, 5) = 15 s.
  EXPECT_EQ(free_part(even(20, 40'000), Seconds(30)), (FreePart{.chunks = 10, .promise = Seconds(15)}));
  // 30 chunks of 2 s: F = 15; c(30) = 15, T = 30 − min(8, 7.5) = 22.5 s.
  EXPECT_EQ(free_part(even(30, 60'000), Seconds(30)), (FreePart{.chunks = 15, .promise = Milliseconds(22'500)}));
  // 36 chunks of 2 s: F = 18; c(36) = 18, T = min(30, 36 − 8) = 28 s.
  EXPECT_EQ(free_part(even(36, 72'000), Seconds(30)), (FreePart{.chunks = 18, .promise = Seconds(28)}));
  // 12 s in 6 chunks: F = 3; c(6) = 3, T = 6 − 1.5.
  EXPECT_EQ(free_part(even(6, 12'000), Seconds(30)), (FreePart{.chunks = 3, .promise = Milliseconds(4'500)}));
}

TEST(FreePart, OfOneChunkIsNothing) { EXPECT_EQ(free_part(even(1, 60'000), Seconds(30)), FreePart{}); }

TEST(FreePart, IsNothingWhereNothingIsFree) {
  EXPECT_EQ(free_part(even(114, 228'000), Seconds(0)), FreePart{});
  EXPECT_EQ(free_part(even(114, 228'000), Seconds(-5)), FreePart{});
}

TEST(FreePart, IsComputedWithoutTheStructure) {
  Extent medium = even(114, 228'000);
  medium.chunks = 124;
  medium.structure = {{.first = 0, .count = 10}};
  EXPECT_EQ(free_part(medium, Seconds(30)), (FreePart{.chunks = 19, .promise = Seconds(30)}));
}

TEST(FreePart, GoesBeyondTheTable) {
  // c(256) = 128; c(308) = 128 + ⌈52,000 · 1672 / 3,344,000⌉ = 128 + 26.
  EXPECT_EQ(free_part(even(1'800, 3'600'000), Seconds(300)), (FreePart{.chunks = 154, .promise = Seconds(300)}));
}

TEST(Repeats, AreTheMediumOr176ChunksOr200Seconds) {
  EXPECT_EQ(repeats_of(even(42, 228'000)), 176U);
  EXPECT_EQ(repeats_of(even(1'800, 3'600'000)), 1'800U);
  EXPECT_EQ(repeats_of(even(300, 30'000)), 2'000U);
  EXPECT_EQ(repeats_of(even(300, 30'001)), 2'000U);  // ⌈1,999.93…⌉
}

TEST(Lease, IsTenSecondsFromOneTo31Chunks) {
  EXPECT_EQ(lease_of(even(114, 228'000)), 5U);
  EXPECT_EQ(lease_of(even(2, 228'000)), 1U);
  EXPECT_EQ(lease_of(even(3'000, 30'000)), 31U);
}

/// Any medium whose table the manifest's rules allow.
Extent any_medium() {
  const auto chunks = *rc::gen::inRange<std::uint32_t>(1, 5'000);
  const auto duration = *rc::gen::inRange<std::int64_t>(1, 4'000'000);
  Extent medium = even(chunks, duration);
  const auto whole = static_cast<std::size_t>((duration + 999) / 1'000);
  std::uint32_t last = 1;
  for (std::size_t s = 1; s < whole && s <= wire::kTableSeconds; ++s) {
    last = std::min(chunks,
                    last + *rc::gen::inRange<std::uint32_t>(0, 2 + 2 * chunks / static_cast<std::uint32_t>(whole)));
    medium.seconds[s - 1] = last;
  }
  return medium;
}

RC_GTEST_PROP(FreePart, HoldsThePromiseAndTheBufferOrIsHalf, ()) {
  const Extent medium = any_medium();
  RC_ASSERT(medium.check().has_value());
  const Seconds wish(*rc::gen::inRange(1, 600));
  const FreePart part = free_part(medium, wish);
  RC_ASSERT(part.chunks <= medium.media_chunks() / 2);
  RC_ASSERT(part.promise <= wish);
  RC_ASSERT(part.promise >= Milliseconds(0));
  // A player that holds nothing beyond the promise is within the free part, whichever rule it came from.
  const auto promised = static_cast<std::uint64_t>(std::chrono::floor<Seconds>(part.promise).count());
  RC_ASSERT(medium.chunks_for(promised) <= part.chunks);
  if (part.chunks < medium.media_chunks() / 2) {
    RC_ASSERT(part.promise == wish);
    RC_ASSERT(medium.chunks_for(static_cast<std::uint64_t>((wish + kBuffer).count())) == part.chunks);
  }
}

RC_GTEST_PROP(FreePart, GrowsWithTheThreshold, ()) {
  const Extent medium = any_medium();
  const int less = *rc::gen::inRange(0, 600);
  const int more = *rc::gen::inRange(less, 601);
  const FreePart a = free_part(medium, Seconds(less));
  const FreePart b = free_part(medium, Seconds(more));
  RC_ASSERT(a.chunks <= b.chunks);
  // Where half is the limit, the promise is the buffer before the half's end, and never more than the threshold.
  if (b.promise == Seconds(more)) RC_ASSERT(a.promise <= b.promise);
}

RC_GTEST_PROP(Repeats, AreNeverLessThanTheMedium, ()) {
  const Extent medium = any_medium();
  RC_ASSERT(repeats_of(medium) >= std::max(medium.chunks, kMinRepeats));
  RC_ASSERT(lease_of(medium) >= 1U);
  RC_ASSERT(lease_of(medium) <= kMaxLease);
}

}  // namespace
}  // namespace usher::licence
