#include "client/play/fetcher.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "support/eventually.h"
#include "unit/client/medium.h"

namespace usher::client {
namespace {

using test::TestMedium;

Result<Bytes> take_all(Fetcher& fetcher) {
  Bytes all;
  for (;;) {
    USHER_TRY(const Piece piece, fetcher.next());
    if (!piece) return all;
    append(all, piece->expose());
  }
}

/// As take_all, but the listener is always at the last chunk that was taken.
Result<Bytes> hear_all(Fetcher& fetcher) {
  const Timeline timeline(fetcher.manifest());
  Bytes all;
  for (;;) {
    fetcher.listener_at({.clock_ms = timeline.time_at(all.size()), .own_ms = timeline.time_at(all.size())});
    USHER_TRY(const Piece piece, fetcher.next());
    if (!piece) return all;
    append(all, piece->expose());
  }
}

TEST(Fetcher, GivesTheMediumInOrderThoughChunksArriveInAnyOrder) {
  const TestMedium medium(test::pattern(40 * 4096 + 17));
  // Of the requests that are running, the later ones are answered first.
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::uint32_t> inside;
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>& stop) -> Result<wire::ChunkBody> {
    std::unique_lock lock(mutex);
    inside.insert(chunk);
    changed.notify_all();
    changed.wait_for(lock, std::chrono::milliseconds(5), [&] { return stop || *inside.rbegin() > chunk; });
    inside.erase(chunk);
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 4});
  EXPECT_EQ(hear_all(fetcher).value(), medium.bytes);
}

TEST(Fetcher, AsksNoFurtherAheadThanTheListenerNeeds) {
  // 64 chunks of one second.
  const TestMedium medium(test::pattern(64 * 4096), 4096, 64'000);
  std::atomic<std::uint32_t> highest{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    highest = std::max(highest.load(), chunk);
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 1});
  for (std::uint32_t second = 0; second < 40; ++second) {
    fetcher.listener_at({.clock_ms = second * 1'000});
    ASSERT_TRUE(fetcher.next().has_value());
    ASSERT_TRUE(test::eventually([&] { return highest >= second + 9; })) << highest;
    EXPECT_EQ(highest, second + 9);
  }
}

TEST(Fetcher, ASeekAsksForNothingThatLiesBetween) {
  const TestMedium medium(test::pattern(100 * 4096), 4096, 100'000);
  std::mutex mutex;
  std::set<std::uint32_t> asked;
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    const std::scoped_lock lock(mutex);
    asked.insert(chunk);
    return medium.body(chunk);
  };
  const auto are_asked = [&](std::size_t count) {
    return test::eventually([&] {
      const std::scoped_lock lock(mutex);
      return asked.size() >= count;
    });
  };
  PlayPlan plan(medium.manifest);
  plan.at({.clock_ms = 40'000});
  std::set<std::uint32_t> expected;
  {
    Fetcher fetcher(medium.manifest, get, {.plan = plan, .first = 40});
    for (const std::uint32_t chunk : {40U, 80U, 20U}) {
      fetcher.move_to(chunk, {.clock_ms = std::uint64_t{chunk} * 1'000});
      for (std::uint32_t i = 0; i < 10; ++i) expected.insert(chunk + i);
      ASSERT_TRUE(are_asked(expected.size())) << chunk;
    }
  }
  EXPECT_EQ(asked, expected);
}

TEST(Fetcher, ManyThreadsTogetherAskForNoMoreThanIsFree) {
  const TestMedium medium(test::pattern(64 * 4096), 4096, 64'000);
  std::atomic<std::uint32_t> asked{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    ++asked;
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 64, .plan = PlayPlan(medium.manifest, test::standing(5), {})});
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(fetcher.next().has_value());
  ASSERT_TRUE(test::eventually([&] { return asked >= 5; }));
  EXPECT_TRUE(fetcher.held_back());
  EXPECT_EQ(fetcher.plan().free_left(), 0U);
  EXPECT_FALSE(fetcher.plan().committed());
  EXPECT_EQ(asked, 5U);
  fetcher.listener_at({.clock_ms = 4'000, .own_ms = 4'000});
  ASSERT_TRUE(fetcher.next().has_value());
  EXPECT_TRUE(fetcher.plan().committed());
}

TEST(Fetcher, AWindowOfOneFetchesOneAfterTheOther) {
  const TestMedium medium(test::pattern(9 * 4096));
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    most = std::max(most.load(), ++inside);
    auto body = medium.body(chunk);
    --inside;
    return body;
  };
  Fetcher fetcher(medium.manifest, get, {.window = 1});
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  EXPECT_EQ(most, 1);
}

TEST(Fetcher, AChunkThatIsNotWhatWasSignedIsRefusedByItsNumber) {
  const TestMedium medium(test::pattern(10 * 4096));
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    auto body = medium.body(chunk);
    if (chunk == 3) body.chunk[100] ^= 1;
    return body;
  };
  Fetcher fetcher(medium.manifest, get);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(fetcher.next().has_value());
  const auto lie = fetcher.next();
  ASSERT_FALSE(lie.has_value());
  EXPECT_EQ(lie.error().fault, Fault::chunk_damaged);
  EXPECT_NE(lie.error().about.find("chunk 3"), std::string::npos);
}

TEST(Fetcher, ARightChunkInAnothersPlaceIsRefused) {
  const TestMedium medium(test::pattern(10 * 4096));
  EXPECT_EQ(checked_chunk(medium.manifest, 4, medium.body(5)).error().fault, Fault::chunk_damaged);
  EXPECT_TRUE(checked_chunk(medium.manifest, 5, medium.body(5)).has_value());
}

TEST(Fetcher, AShortOrLongChunkIsRefused) {
  const TestMedium medium(test::pattern(2 * 4096 + 5));
  auto cut = medium.body(1);
  cut.chunk.pop_back();
  EXPECT_EQ(checked_chunk(medium.manifest, 1, std::move(cut)).error().fault, Fault::chunk_damaged);
  auto padded = medium.body(2);
  padded.chunk.push_back(0);
  EXPECT_EQ(checked_chunk(medium.manifest, 2, std::move(padded)).error().fault, Fault::chunk_damaged);
  EXPECT_EQ(checked_chunk(medium.manifest, 3, medium.body(2)).error().fault, Fault::unknown_chunk);
}

TEST(Fetcher, AnErrorComesAfterEverythingBeforeIt) {
  const TestMedium medium(test::pattern(10 * 4096));
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    if (chunk == 2) return fail(Fault::licence_expired, "test");
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get);
  EXPECT_TRUE(fetcher.next().has_value());
  EXPECT_TRUE(fetcher.next().has_value());
  EXPECT_EQ(fetcher.next().error().fault, Fault::licence_expired);
}

TEST(Fetcher, CancelWakesWhoWaits) {
  const TestMedium medium(test::pattern(4 * 4096));
  std::atomic<bool> asked{false};
  const GetChunk get = [&](std::uint32_t, const std::atomic<bool>& stop) -> Result<wire::ChunkBody> {
    asked = true;
    EXPECT_TRUE(test::eventually([&] { return stop.load(); }));
    return fail(Fault::cancelled, "test");
  };
  Fetcher fetcher(medium.manifest, get);
  std::jthread canceller([&] {
    EXPECT_TRUE(test::eventually([&] { return asked.load(); }));
    fetcher.cancel();
  });
  EXPECT_EQ(fetcher.next().error().fault, Fault::cancelled);
}

TEST(Fetcher, WhatIsKeptIsNotAskedForAgain) {
  const TestMedium medium(test::pattern(12 * 4096));
  std::atomic<int> asked{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    ++asked;
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get);
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  fetcher.move_to(0, {});
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  EXPECT_EQ(asked, 12);
}

TEST(Fetcher, WhatIsKeptIsBounded) {
  const TestMedium medium(test::pattern(32 * 4096));
  std::atomic<int> asked{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    ++asked;
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 2, .keep = std::size_t{4} * 4096});
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  fetcher.move_to(0, {});
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  EXPECT_GE(asked, 32 + 32 - 4 - 6 - 1);  // what is kept, the look-ahead, the head
}

TEST(Fetcher, AtGivesAnyChunkWhileOthersAreTaken) {
  const TestMedium medium(test::pattern(30 * 4096));
  Fetcher fetcher(medium.manifest, medium.getter(), {.window = 2});
  const auto far = fetcher.at(29);
  ASSERT_TRUE(far.has_value());
  EXPECT_TRUE(same((*far)->expose(), medium.chunk(29)));
  EXPECT_EQ(take_all(fetcher).value(), medium.bytes);
  EXPECT_EQ(fetcher.at(30).error().fault, Fault::unknown_chunk);
}

}  // namespace
}  // namespace usher::client
