// The play machine: every state with every event, its thresholds and budgets.  licence.md §5.
#include <gtest/gtest.h>

#include "licence/play.h"

namespace usher::licence {
namespace {

constexpr Time kNow{Milliseconds{1'000'000'000}};
const PlayPolicy kPolicy;
constexpr Extent kMedium{.chunks = 100, .duration = Milliseconds{100'000}};  // a second a chunk: 30 are free

template <class T>
Fault fault(const Result<T>& result) {
  return result ? Fault::local : result.error().fault;
}
Play play_in(PlayState state) { return {.state = state, .epoch = 3, .deadline = kNow + Seconds{100}, .granted = 10}; }
std::vector<ChunkUse> uses(std::uint32_t from, std::uint32_t to, std::uint8_t times = 0, bool heard = false) {
  std::vector<ChunkUse> out;
  for (std::uint32_t i = from; i < to; ++i) out.push_back({.number = i, .times = times, .heard = heard});
  return out;
}
Result<Step> grant_one(const Play& play, std::uint64_t epoch = 3, Time now = kNow, std::uint32_t heard = 0) {
  return grant(kPolicy, kMedium, play, epoch, uses(0, 1), heard, now);
}

// --- the table: state × event -> outcome

struct Cell {
  PlayState state;
  bool overdue;                                                // at or after the deadline
  bool stale;                                                  // an older epoch
  Fault grant_fault, resume_fault, close_fault, expire_fault;  // local: it is a legal step
};

constexpr Fault kOk = Fault::local;
constexpr Fault kOver = Fault::play_over;
constexpr Fault kStale = Fault::stale_epoch;
constexpr Fault kExpired = Fault::play_expired;
constexpr Fault kEarly = Fault::unexpected_message;
constexpr Cell kTable[] = {
    //  state               overdue stale   grant     resume    close   expire
    {PlayState::opened, false, false, kOk, kOk, kOk, kEarly},
    {PlayState::opened, false, true, kStale, kOk, kStale, kEarly},
    {PlayState::opened, true, false, kExpired, kExpired, kOk, kOk},
    {PlayState::opened, true, true, kStale, kExpired, kStale, kOk},
    {PlayState::committed, false, false, kOk, kOk, kOk, kEarly},
    {PlayState::committed, false, true, kStale, kOk, kStale, kEarly},
    {PlayState::committed, true, false, kExpired, kExpired, kOk, kOk},
    {PlayState::committed, true, true, kStale, kExpired, kStale, kOk},
    {PlayState::refunded, false, false, kOver, kOver, kOver, kOver},
    {PlayState::refunded, false, true, kOver, kOver, kOver, kOver},
    {PlayState::refunded, true, false, kOver, kOver, kOver, kOver},
    {PlayState::refunded, true, true, kOver, kOver, kOver, kOver},
    {PlayState::ended, false, false, kOver, kOver, kOver, kOver},
    {PlayState::ended, false, true, kOver, kOver, kOver, kOver},
    {PlayState::ended, true, false, kOver, kOver, kOver, kOver},
    {PlayState::ended, true, true, kOver, kOver, kOver, kOver},
};

TEST(PlayMachine, EveryStateTakesOrRefusesEveryEventAsTheTableSays) {
  for (const Cell& cell : kTable) {
    const Play play = play_in(cell.state);
    const Time now = cell.overdue ? play.deadline : play.deadline - Milliseconds{1};
    const std::uint64_t epoch = cell.stale ? play.epoch - 1 : play.epoch;
    SCOPED_TRACE(static_cast<int>(cell.state) * 100 + (cell.overdue ? 10 : 0) + (cell.stale ? 1 : 0));
    EXPECT_EQ(fault(grant_one(play, epoch, now)), cell.grant_fault);
    EXPECT_EQ(fault(resume(play, now)), cell.resume_fault);
    EXPECT_EQ(fault(close(play, epoch)), cell.close_fault);
    EXPECT_EQ(fault(expire(play, now)), cell.expire_fault);
  }
}

TEST(PlayMachine, LegalStepsLeadWhereTheyShould) {
  const Play opened = play_in(PlayState::opened);
  const Play committed = play_in(PlayState::committed);
  const Time late = opened.deadline;
  EXPECT_EQ(grant_one(opened)->effect, Effect::none);
  EXPECT_EQ(grant_one(opened)->play.state, PlayState::opened);
  EXPECT_EQ(grant_one(opened, 3, kNow, 30)->effect, Effect::commit);
  EXPECT_EQ(grant_one(opened, 3, kNow, 30)->play.state, PlayState::committed);
  EXPECT_EQ(grant_one(committed, 3, kNow, 30)->effect, Effect::none);
  EXPECT_EQ(grant_one(committed)->play.state, PlayState::committed);
  for (const auto& end : {close(opened, 3), expire(opened, late)}) {
    EXPECT_EQ(end->effect, Effect::refund);
    EXPECT_EQ(end->play.state, PlayState::refunded);
  }
  for (const auto& end : {close(committed, 3), expire(committed, late)}) {
    EXPECT_EQ(end->effect, Effect::none);
    EXPECT_EQ(end->play.state, PlayState::ended);
  }
}

TEST(PlayMachine, OpeningReservesAPlayAndBeginsAtEpochOne) {
  const Step step = open(kPolicy, kMedium, kNow);
  EXPECT_EQ(step.effect, Effect::reserve);
  EXPECT_EQ(step.play,
            (Play{.state = PlayState::opened, .epoch = 1, .deadline = kNow + Seconds{86'400}, .granted = 0}));
}

TEST(PlayMachine, ResumingRaisesTheEpochAndChangesNothingElse) {
  for (const PlayState state : {PlayState::opened, PlayState::committed}) {
    const Play before = play_in(state);
    const auto step = resume(before, kNow);
    Play expected = before;
    expected.epoch = 4;
    EXPECT_EQ(step->play, expected);
    EXPECT_EQ(step->effect, Effect::none);
    EXPECT_EQ(fault(grant_one(step->play, 3)), Fault::stale_epoch);
    EXPECT_EQ(fault(grant_one(step->play, 5)), Fault::stale_epoch);
    EXPECT_TRUE(grant_one(step->play, 4));
  }
}

// --- chunks

TEST(Grant, CountsEveryChunkOfABatch) {
  EXPECT_EQ(grant(kPolicy, kMedium, play_in(PlayState::opened), 3, uses(0, 7), 0, kNow)->play.granted, 17U);
}

TEST(Grant, WithoutAChunkOrWithOneTwiceIsMalformed) {
  const Play play = play_in(PlayState::opened);
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, {}, 0, kNow)), Fault::malformed);
  const std::vector<ChunkUse> twice{{.number = 1}, {.number = 2}, {.number = 1}};
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, twice, 0, kNow)), Fault::malformed);
}

TEST(Grant, OfAChunkThatTheMediumDoesNotHaveIsRefused) {
  const Play play = play_in(PlayState::opened);
  EXPECT_TRUE(grant(kPolicy, kMedium, play, 3, uses(99, 100), 0, kNow));
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, uses(100, 101), 0, kNow)), Fault::unknown_chunk);
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, uses(99, 101), 0, kNow)), Fault::unknown_chunk);
}

TEST(Grant, OfOneChunkIsRefusedTheFourthTime) {
  const Play play = play_in(PlayState::committed);
  EXPECT_TRUE(grant(kPolicy, kMedium, play, 3, uses(5, 6, 2), 0, kNow));
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, uses(5, 6, 3), 0, kNow)), Fault::budget_spent);
}

TEST(Grant, StopsAtOneAndAHalfTimesTheMedium) {
  Play play = play_in(PlayState::committed);
  play.granted = 149;
  EXPECT_TRUE(grant(kPolicy, kMedium, play, 3, uses(0, 1), 0, kNow));
  EXPECT_EQ(fault(grant(kPolicy, kMedium, play, 3, uses(0, 2), 0, kNow)), Fault::budget_spent);
  play.granted = 150;
  EXPECT_EQ(fault(grant_one(play)), Fault::budget_spent);
}

TEST(Grant, CommitsWhenItPassesTheFreeChunksAndNotBefore) {
  const Play play = play_in(PlayState::opened);
  EXPECT_EQ(grant(kPolicy, kMedium, play, 3, uses(0, 30), 0, kNow)->effect, Effect::none);
  EXPECT_EQ(grant(kPolicy, kMedium, play, 3, uses(0, 31), 0, kNow)->effect, Effect::commit);
  EXPECT_EQ(grant(kPolicy, kMedium, play, 3, uses(0, 1), 29, kNow)->effect, Effect::none);
  EXPECT_EQ(grant(kPolicy, kMedium, play, 3, uses(0, 1), 30, kNow)->effect, Effect::commit);
}

TEST(Grant, OfChunksHeardBeforeDoesNotCommit) {
  EXPECT_EQ(grant(kPolicy, kMedium, play_in(PlayState::opened), 3, uses(0, 30, 0, true), 30, kNow)->effect,
            Effect::none);
}

// --- figures

TEST(FreeChunks, AreTheSmallerOfThirtySecondsAndHalfTheMedium) {
  const auto free = [](std::uint32_t chunks, std::int64_t ms) {
    return free_chunks(kPolicy, {.chunks = chunks, .duration = Milliseconds{ms}});
  };
  EXPECT_EQ(free(100, 100'000), 30U);
  EXPECT_EQ(free(100, 60'000), 50U);
  EXPECT_EQ(free(100, 59'000), 50U);
  EXPECT_EQ(free(100, 61'000), 49U);     // 49.18, rounded down
  EXPECT_EQ(free(100, 10'000'000), 0U);  // a chunk is longer than thirty seconds: the first one counts
  EXPECT_EQ(free(101, 20'000), 50U);     // half, rounded down
  EXPECT_EQ(free(4'000'000'000, 1'000'000'000'000), 120U);
  EXPECT_EQ(free(4'294'967'295, 1), 2'147'483'647U);
}

TEST(FreeChunks, OfTinyMediaAreAtMostHalf) {
  EXPECT_EQ(free_chunks(kPolicy, {.chunks = 1, .duration = Milliseconds{1'000}}), 0U);
  EXPECT_EQ(free_chunks(kPolicy, {.chunks = 2, .duration = Milliseconds{1'000}}), 1U);
  EXPECT_EQ(free_chunks(kPolicy, {.chunks = 3, .duration = Milliseconds{1'000}}), 1U);
}

TEST(FreeChunks, AreNoneWhereTheDurationIsUnknown) {
  EXPECT_EQ(free_chunks(kPolicy, {.chunks = 100, .duration = Milliseconds{0}}), 0U);
}

TEST(FreeChunks, AreNoneWhereTheOperatorAllowsNone) {
  PlayPolicy strict;
  strict.commit_after = Seconds{0};
  EXPECT_EQ(free_chunks(strict, kMedium), 0U);
}

TEST(FreeChunks, SurviveAbsurdPolicies) {
  PlayPolicy generous;
  generous.commit_after = Seconds{9'000'000'000'000'000'000};
  EXPECT_EQ(free_chunks(generous, kMedium), 50U);
}

TEST(Budget, IsRoundedUp) {
  EXPECT_EQ(budget_of(kPolicy, {.chunks = 1, .duration = {}}), 2U);
  EXPECT_EQ(budget_of(kPolicy, {.chunks = 2, .duration = {}}), 3U);
  EXPECT_EQ(budget_of(kPolicy, {.chunks = 3, .duration = {}}), 5U);
  EXPECT_EQ(budget_of(kPolicy, {.chunks = 4'294'967'295, .duration = {}}), 4'294'967'295U);
}

TEST(Deadline, IsADayOrThreeTimesTheMedium) {
  EXPECT_EQ(deadline_of(kPolicy, kMedium, kNow), kNow + Seconds{86'400});
  const Extent long_medium{.chunks = 1, .duration = Milliseconds{36'000'000}};
  EXPECT_EQ(deadline_of(kPolicy, long_medium, kNow), kNow + Seconds{108'000});
}

TEST(Policy, ThatCannotBeMeantIsRefused) {
  EXPECT_TRUE(check_policy(kPolicy));
  const auto refused = [](auto change) {
    PlayPolicy policy;
    change(policy);
    return fault(check_policy(policy)) == Fault::bad_config;
  };
  EXPECT_TRUE(refused([](PlayPolicy& p) { p.commit_after = Seconds{-1}; }));
  EXPECT_TRUE(refused([](PlayPolicy& p) { p.deadline = Seconds{0}; }));
  EXPECT_TRUE(refused([](PlayPolicy& p) { p.budget_den = 0; }));
  EXPECT_TRUE(refused([](PlayPolicy& p) { p.budget_num = 1; }));
  EXPECT_TRUE(refused([](PlayPolicy& p) { p.per_chunk_max = 0; }));
}

}  // namespace
}  // namespace usher::licence
