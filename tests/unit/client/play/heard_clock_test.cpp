#include "client/play/heard_clock.h"

#include <gtest/gtest.h>

namespace usher::client {
namespace {

using Spans = std::vector<HeardClock::Span>;

TEST(HeardClock, CountsAPassageThatWasHeardTwiceOnce) {
  HeardClock clock;
  clock.add(0, 10'000);
  clock.add(5'000, 12'000);
  clock.add(3'000, 4'000);
  EXPECT_EQ(clock.heard_ms(), 12'000U);
  EXPECT_EQ(clock.spans(), (Spans{{.from = 0, .to = 12'000}}));
}

TEST(HeardClock, JoinsWhatTouchesAndKeepsWhatIsApart) {
  HeardClock clock;
  clock.add(20'000, 30'000);
  clock.add(0, 5'000);
  clock.add(5'000, 6'000);
  EXPECT_EQ(clock.spans(), (Spans{{.from = 0, .to = 6'000}, {.from = 20'000, .to = 30'000}}));
  clock.add(4'000, 40'000);
  EXPECT_EQ(clock.spans(), (Spans{{.from = 0, .to = 40'000}}));
  EXPECT_EQ(clock.heard_ms(), 40'000U);
}

TEST(HeardClock, NothingAndBackwardsIsNotHeard) {
  HeardClock clock;
  clock.add(5, 5);
  clock.add(9, 3);
  EXPECT_EQ(clock.heard_ms(), 0U);
  EXPECT_TRUE(clock.spans().empty());
}

TEST(HeardClock, IsBoundedAndNeverCountsWhatWasNotHeard) {
  HeardClock clock;
  for (std::uint64_t i = 0; i < 200; ++i) clock.add(i * 10'000, i * 10'000 + 1'000);
  EXPECT_EQ(clock.spans().size(), HeardClock::kMaxSpans);
  EXPECT_EQ(clock.heard_ms(), 200'000U);
  const auto again = HeardClock::from_text(clock.text());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->spans(), clock.spans());
  EXPECT_EQ(again->heard_ms(), 200'000U);
}

TEST(HeardClock, ATextThatIsNoneIsRefused) {
  EXPECT_EQ(HeardClock::from_text("0:")->heard_ms(), 0U);
  EXPECT_EQ(HeardClock::from_text("2000:0-1000,5000-6000,")->spans().size(), 2U);
  for (const char* text : {"", "5", "x:", "5:1-", "5:0-9", "5:9-0,", "5:0-9,5-20,", "10:0-9,", "1:0-9,9-20,"}) {
    EXPECT_FALSE(HeardClock::from_text(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace usher::client
