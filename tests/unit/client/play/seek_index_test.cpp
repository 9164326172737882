#include "client/play/seek_index.h"

#include <gtest/gtest.h>

namespace usher::client {
namespace {

/// 100 s in 1,000,000 bytes after a head of 5,000; the second half is three times as dense as the first.
media::Manifest indexed() {
  media::Manifest manifest;
  manifest.size = 1'000'000;
  manifest.duration_ms = 100'000;
  manifest.head = 5'000;
  manifest.seek = {{.time_ms = 20'000, .offset = 105'000}, {.time_ms = 50'000, .offset = 250'000}};
  return manifest;
}

TEST(Timeline, StartsAtTheLastPointAtOrBeforeTheTime) {
  const Timeline timeline(indexed());
  EXPECT_EQ(timeline.start_at(20'000).offset, 105'000U);
  EXPECT_EQ(timeline.start_at(49'999).offset, 105'000U);
  const StartPoint last = timeline.start_at(99'000);
  EXPECT_EQ(last.offset, 250'000U);
  EXPECT_EQ(last.time_ms, 50'000U);
  EXPECT_EQ(last.head, 5'000U);
}

TEST(Timeline, BeforeTheFirstPointIsTheBeginningOfEverything) {
  const StartPoint start = Timeline(indexed()).start_at(19'999);
  EXPECT_EQ(start.head, 0U);
  EXPECT_EQ(start.offset, 0U);
  EXPECT_EQ(start.time_ms, 0U);
}

TEST(Timeline, LiesEvenlyBetweenThePointsInBothDirections) {
  const Timeline timeline(indexed());
  EXPECT_EQ(timeline.offset_at(0), 5'000U);
  EXPECT_EQ(timeline.offset_at(10'000), 55'000U);
  EXPECT_EQ(timeline.offset_at(75'000), 625'000U);
  EXPECT_EQ(timeline.offset_at(100'000), 1'000'000U);
  EXPECT_EQ(timeline.offset_at(900'000), 1'000'000U);
  EXPECT_EQ(timeline.time_at(3'000), 0U);
  EXPECT_EQ(timeline.time_at(55'000), 10'000U);
  EXPECT_EQ(timeline.time_at(625'000), 75'000U);
  EXPECT_EQ(timeline.time_at(1'000'000), 100'000U);
  for (std::uint64_t time = 0; time <= 100'000; time += 777) {
    EXPECT_LE(timeline.time_at(timeline.offset_at(time)), time);
  }
}

TEST(Timeline, WithoutPointsThereIsOnlyTheBeginning) {
  media::Manifest manifest = indexed();
  manifest.seek.clear();
  const Timeline timeline(manifest);
  EXPECT_FALSE(timeline.can_seek());
  EXPECT_EQ(timeline.start_at(99'000).offset, 0U);
  EXPECT_EQ(timeline.offset_at(50'000), 502'500U);
}

TEST(Timeline, ThePlacesFollowOneAnother) {
  const Timeline timeline(indexed());
  const StartPoint first = timeline.next_after({});
  EXPECT_EQ(first.time_ms, 20'000U);
  const StartPoint second = timeline.next_after(first);
  EXPECT_EQ(second.time_ms, 50'000U);
  EXPECT_EQ(timeline.next_after(second).offset, second.offset);
}

}  // namespace
}  // namespace usher::client
