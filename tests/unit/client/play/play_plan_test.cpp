// What an honest client asks for and when, against the promise of licence.md §5.2: no server, no thread, no clock.
#include "client/play/play_plan.h"

#include <gtest/gtest.h>

#include "client/play/heard_clock.h"
#include "unit/client/medium.h"

namespace usher::client {
namespace {

media::Manifest even(std::uint64_t duration_ms, std::uint64_t bits_per_second, std::uint32_t chunk_size) {
  media::Manifest manifest;
  manifest.duration_ms = duration_ms;
  manifest.size = duration_ms * bits_per_second / 8'000;
  manifest.chunk_size = chunk_size;
  manifest.chunks = static_cast<std::uint32_t>((manifest.size + chunk_size - 1) / chunk_size);
  manifest.seconds = wire::even_seconds(manifest.chunks, Milliseconds(duration_ms));
  for (std::uint64_t time = 2'000; time < duration_ms; time += 2'000) {
    manifest.seek.push_back({.time_ms = time, .offset = manifest.size * time / duration_ms});
  }
  return manifest;
}

/// Ten-second steps of 16 KiB chunks make the numbers readable: one chunk a second, 100 of them.
media::Manifest one_a_second() { return even(100'000, 131'072, 16'384); }

/// A server's books of one person's first play, and a listener who hears the received chunks, ten times a second.
class Visit {
 public:
  Visit(const media::Manifest& manifest, Seconds commit_after, wire::ChunkRanges heard = {})
      : manifest_(manifest),
        part_(licence::free_part(manifest.extent(), commit_after)),
        plan_(manifest, opened(commit_after, heard), {}) {
    heard_ = wire::count_of(heard);
  }
  wire::Opened opened(Seconds commit_after, const wire::ChunkRanges& heard) const {
    const auto used = static_cast<std::uint32_t>(wire::count_of(heard));
    wire::Opened opened = test::standing(part_.chunks - std::min(used, part_.chunks), heard);
    opened.commit_after = static_cast<std::uint32_t>(commit_after.count());
    return opened;
  }
  void go(std::uint64_t time_ms) { clock_ = time_ms; }
  /// Until the own clock has come to `own_ms`.
  void listen_to(std::uint64_t own_ms) {
    fetch();
    while (own_.heard_ms() < own_ms && clock_ < manifest_.duration_ms) {
      // Playback never stutters: the next chunk has arrived already.
      const std::uint64_t next = std::min(clock_ + 100, manifest_.duration_ms);
      const auto chunk = static_cast<std::uint32_t>((plan_.timeline().offset_at(next) - 1) / manifest_.chunk_size);
      ASSERT_TRUE(in_hand_.contains(chunk)) << "at " << clock_ << " ms";
      own_.add(clock_, next);
      clock_ = next;
      fetch();
    }
  }
  [[nodiscard]] bool counts() const { return heard_ > part_.chunks; }
  [[nodiscard]] const licence::FreePart& part() const { return part_; }
  [[nodiscard]] std::set<std::uint32_t> in_hand() const { return in_hand_; }
  PlayPlan& plan() { return plan_; }
  [[nodiscard]] CountsFrom counts_from() const {
    return plan_.counts_from([this](std::uint32_t chunk) { return in_hand_.contains(chunk); });
  }

 private:
  void fetch() {
    plan_.at({.clock_ms = clock_, .own_ms = own_.heard_ms()});
    for (auto chunk = static_cast<std::uint32_t>(plan_.timeline().offset_at(clock_) / manifest_.chunk_size);
         chunk < plan_.end(); ++chunk) {
      if (in_hand_.contains(chunk)) continue;
      if (!plan_.may_ask(chunk)) return;
      const Price price = plan_.price_of(chunk);
      heard_ += price == Price::of_the_free_part || price == Price::the_play ? 1 : 0;
      plan_.ask(chunk);
      in_hand_.insert(chunk);
    }
  }
  const media::Manifest& manifest_;
  licence::FreePart part_;
  PlayPlan plan_;
  HeardClock own_;
  std::uint64_t clock_ = 0;
  std::uint64_t heard_ = 0;  // chunks that the server counted
  std::set<std::uint32_t> in_hand_;
};

TEST(PlayPlan, AtEveryRateAndLengthWhoStopsBeforeTheThresholdKeepsThePlay) {
  for (const std::uint64_t rate : {8'000U, 32'000U, 115'000U, 320'000U, 1'400'000U, 8'000'000U}) {
    for (const std::uint64_t seconds : {3U, 10U, 12U, 20U, 45U, 110U, 228U, 3'600U}) {
      for (const std::uint64_t hold : {1U, 2U, 6U}) {
        const auto size = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rate / 8 * hold, 8 << 10, 256 << 10));
        const media::Manifest manifest = even(seconds * 1'000, rate, size);
        for (const Seconds commit_after : {Seconds(6), Seconds(30)}) {
          Visit visit(manifest, commit_after);
          const auto promise = static_cast<std::uint64_t>(visit.part().promise.count());
          if (promise < 200) continue;
          visit.listen_to(promise - 100);
          EXPECT_FALSE(visit.counts()) << rate << " bit/s, " << seconds << " s, chunks of " << size << ", T "
                                       << promise;
          visit.listen_to(seconds * 1'000);
          EXPECT_TRUE(visit.counts()) << rate << " bit/s, " << seconds << " s, chunks of " << size;
        }
      }
    }
  }
}

TEST(PlayPlan, CountsAtTheThresholdAndTheLookAheadAtTheLatest) {
  for (const std::uint64_t rate : {8'000U, 115'000U, 1'400'000U}) {
    const media::Manifest manifest = even(228'000, rate, 32'768);
    Visit visit(manifest, Seconds(6));
    const std::uint64_t chunk_ms = manifest.duration_ms * manifest.chunk_size / manifest.size;
    visit.listen_to(6'000 + 10'000 + chunk_ms + 100);
    EXPECT_TRUE(visit.counts()) << rate;
  }
}

TEST(PlayPlan, LooksTenSecondsAheadFourAfterTroubleAndNeverUnderTwoChunks) {
  const media::Manifest manifest = one_a_second();
  PlayPlan plan(manifest);
  plan.at({.clock_ms = 20'000});
  EXPECT_EQ(plan.end(), 30U);
  plan.at({.clock_ms = 20'000, .troubled = true});
  EXPECT_EQ(plan.end(), 24U);
  plan.at({.clock_ms = 95'000});
  EXPECT_EQ(plan.end(), 100U);
  const media::Manifest slow = even(100'000, 8'000, 32'768);  // 33 s a chunk
  PlayPlan of_slow(slow);
  of_slow.at({.clock_ms = 1'000});
  EXPECT_EQ(of_slow.end(), 2U);
}

TEST(PlayPlan, GivesThePlayerEightSecondsAndFourAfterTrouble) {
  PlayPlan plan(one_a_second());
  plan.at({.clock_ms = 20'000});
  EXPECT_EQ(plan.giving_end(), 28U * 16'384U);
  plan.at({.clock_ms = 20'000, .more_ms = 2'000});
  EXPECT_EQ(plan.giving_end(), 30U * 16'384U);
  plan.at({.clock_ms = 20'000, .troubled = true});
  EXPECT_EQ(plan.giving_end(), 24U * 16'384U);
}

TEST(PlayPlan, OnALaterVisitCountsWithTheFirstNewSecondAndNoEarlier) {
  const media::Manifest manifest = one_a_second();
  // F = c(30 + 8) = 38 chunks, all of them used up before.
  Visit visit(manifest, Seconds(30), {{.first = 0, .count = 38}});
  EXPECT_EQ(visit.plan().free_left(), 0U);
  EXPECT_EQ(visit.counts_from().kind, CountsFrom::Kind::first_new);
  visit.listen_to(36'900);
  EXPECT_FALSE(visit.counts());
  visit.listen_to(38'100);
  EXPECT_TRUE(visit.counts());
}

TEST(PlayPlan, OnALaterVisitElsewhereOnlyWhatIsPlayedAndTheChunkBehindItAreAskedFor) {
  const media::Manifest manifest = one_a_second();
  Visit visit(manifest, Seconds(30), {{.first = 40, .count = 38}});
  visit.go(33'000);
  visit.plan().at({.clock_ms = 33'000});
  EXPECT_TRUE(visit.plan().may_ask(33));
  EXPECT_TRUE(visit.plan().may_ask(34));
  EXPECT_FALSE(visit.plan().may_ask(35));
}

TEST(PlayPlan, AnnouncesThePromiseAndKeepsAnnouncingIt) {
  const media::Manifest manifest = one_a_second();
  Visit visit(manifest, Seconds(30));
  const CountsFrom at_thirty{.kind = CountsFrom::Kind::time, .ms = 30'000};
  EXPECT_EQ(visit.counts_from(), at_thirty);
  visit.listen_to(12'000);
  EXPECT_EQ(visit.counts_from(), at_thirty);
  visit.listen_to(45'000);
  EXPECT_EQ(visit.counts_from().kind, CountsFrom::Kind::already);
}

TEST(PlayPlan, ALicenceForATimeAnnouncesNothing) {
  const media::Manifest manifest = one_a_second();
  wire::Opened opened = test::standing(38);
  opened.plays_left = wire::kNoLimit;
  const PlayPlan plan(manifest, opened, {});
  EXPECT_EQ(plan.counts_from([](std::uint32_t) { return false; }).kind, CountsFrom::Kind::never);
}

TEST(PlayPlan, ASeekCountsWhereTheFreePartIsUsedUp) {
  const media::Manifest manifest = one_a_second();
  Visit visit(manifest, Seconds(30), {{.first = 0, .count = 37}});
  const auto none = [](std::uint32_t) { return false; };
  EXPECT_FALSE(visit.plan().cost_of(visit.plan().timeline().start_at(10'000), none).counts);
  EXPECT_TRUE(visit.plan().cost_of(visit.plan().timeline().start_at(60'000), none).counts);  // two new, one is free
  const auto in_hand = [](std::uint32_t chunk) { return chunk == 60; };
  EXPECT_FALSE(visit.plan().cost_of(visit.plan().timeline().start_at(60'000), in_hand).counts);
}

TEST(PlayPlan, WhatAnEarlierProcessAskedForCostsRepeats) {
  const media::Manifest manifest = one_a_second();
  PlayPlan plan(manifest, test::committed(3), {{.first = 0, .count = 50}});
  EXPECT_EQ(plan.price_of(49), Price::a_repeat);
  EXPECT_EQ(plan.price_of(50), Price::nothing);
  plan.ask(49);
  EXPECT_EQ(plan.repeats_left(), 2U);
  EXPECT_EQ(plan.asked(), (wire::ChunkRanges{{.first = 0, .count = 50}}));
  const auto none = [](std::uint32_t) { return false; };
  EXPECT_EQ(plan.cost_of(plan.timeline().start_at(20'000), none).repeats, 2U);
  EXPECT_EQ(plan.cost_of(plan.timeline().start_at(60'000), none).repeats, 0U);
}

TEST(PlayPlan, APlayWithoutRepeatsGoesOnWhereTheyAreNotNeeded) {
  const media::Manifest manifest = one_a_second();
  const wire::Opened opened = test::committed(0);
  const PlayPlan plan(manifest, opened, {{.first = 0, .count = 51}});
  EXPECT_EQ(plan.within_repeats(plan.timeline().start_at(40'000)).time_ms, 52'000U);
  const PlayPlan all(manifest, opened, {{.first = 0, .count = 100}});
  EXPECT_EQ(all.within_repeats(all.timeline().start_at(40'000)).time_ms, 40'000U);
}

TEST(PlayPlan, WhatIsUnderWayWhenTheServerSaysHowThingsStandIsTakenOff) {
  const media::Manifest manifest = one_a_second();
  PlayPlan plan(manifest, test::standing(38), {});
  plan.standing(test::standing(30, {{.first = 0, .count = 8}}, 9), {7, 8, 9});
  EXPECT_EQ(plan.free_left(), 28U);
  EXPECT_EQ(plan.repeats_left(), 9U);
  EXPECT_EQ(plan.price_of(7), Price::nothing);
}

TEST(PlayPlan, HeadersCanBeHadAgainWhenTheRepeatsAreSpentSoThatAPlayIsNeverStuck) {
  media::Manifest manifest = one_a_second();
  manifest.head = 100;
  const wire::Opened opened = test::committed(0);
  const PlayPlan plan(manifest, opened, {{.first = 0, .count = 51}});
  EXPECT_EQ(plan.price_of(0), Price::nothing);
  EXPECT_EQ(plan.price_of(1), Price::a_repeat);
  EXPECT_EQ(plan.within_repeats(plan.timeline().start_at(40'000)).time_ms, 52'000U);
}

TEST(PlayPlan, AStallInTheMiddleMakesNoPlayCount) {
  const media::Manifest manifest = one_a_second();
  PlayPlan plan(manifest, test::standing(0), {{.first = 0, .count = 38}});
  for (const std::uint64_t more : {2'000U, 16'000U, 60'000U}) {
    plan.at({.clock_ms = 23'000, .own_ms = 23'000, .more_ms = more});
    for (std::uint32_t chunk = 38; chunk < 100; ++chunk) EXPECT_FALSE(plan.may_ask(chunk)) << chunk;
  }
}

TEST(PlayPlan, ACommitThatIsUnderWayIsNotForgottenWhenTheServerSaysHowThingsStood) {
  const media::Manifest manifest = one_a_second();
  PlayPlan plan(manifest, test::standing(0), {});
  plan.ask(50);
  ASSERT_TRUE(plan.committed());
  plan.standing(test::standing(0), {50});
  EXPECT_TRUE(plan.committed());
}

TEST(PlayPlan, StructureCostsNothing) {
  media::Manifest manifest = one_a_second();
  manifest.structure = {{.first = 0, .count = 2}};
  manifest.seconds = wire::even_seconds(98, Milliseconds(100'000));
  PlayPlan plan(manifest, test::standing(0), {{.first = 0, .count = 2}});
  EXPECT_EQ(plan.price_of(1), Price::nothing);
  EXPECT_EQ(plan.price_of(2), Price::the_play);
}

}  // namespace
}  // namespace usher::client
