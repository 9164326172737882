// The play machine: every state with every event, its thresholds and budgets.  licence.md §5.
#include <gtest/gtest.h>

#include "licence/play.h"

namespace usher::licence {
namespace {

constexpr Time kNow{Milliseconds{1'000'000'000}};
const PlayPolicy kPolicy;
Extent extent_of(std::uint32_t chunks, std::int64_t seconds, wire::ChunkRanges structure = {}) {
  Extent extent{.chunks = chunks, .duration = Seconds{seconds}, .structure = std::move(structure), .seconds = {}};
  extent.seconds = wire::even_seconds(extent.media_chunks(), extent.duration);
  return extent;
}
const Extent kMedium = extent_of(100, 100);  // a second a chunk: 30 are promised, 38 are free, 200 can be repeated

template <class T>
Fault fault(const Result<T>& result) {
  return result ? Fault::local : result.error().fault;
}
Play play_in(PlayState state) {
  return {.state = state, .epoch = 3, .deadline = kNow + Seconds{100}, .repeats = 10, .moves = 1};
}
std::vector<ChunkUse> uses(std::uint32_t from, std::uint32_t to, std::uint32_t times = 0, bool heard = false) {
  std::vector<ChunkUse> out;
  for (std::uint32_t i = from; i < to; ++i) out.push_back({.number = i, .times = times, .heard = heard});
  return out;
}
/// Grants the chunks one after the other; `heard` grows by those that are new, as it does in the store. The first
/// refusal; or the last step, with the effect of the one that committed.
Result<Step> grant_all(const PlayPolicy& policy, const Extent& medium, Play play, const std::vector<ChunkUse>& chunks,
                       std::uint32_t heard) {
  Step last{.play = play, .effect = Effect::none};
  for (const ChunkUse& chunk : chunks) {
    USHER_TRY(const Step step, grant(policy, medium, last.play, play.epoch, chunk, heard, kNow));
    last.play = step.play;
    if (step.effect != Effect::none) last.effect = step.effect;
    heard += !chunk.heard && !wire::contains(medium.structure, chunk.number) ? 1 : 0;
  }
  return last;
}
Result<Step> grant_one(const Play& play, std::uint64_t epoch = 3, Time now = kNow, std::uint32_t heard = 0) {
  return grant(kPolicy, kMedium, play, epoch, {.number = 0}, heard, now);
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
    EXPECT_EQ(fault(resume(kPolicy, play, false, now)), cell.resume_fault);
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
  EXPECT_EQ(grant_one(opened, 3, kNow, 38)->effect, Effect::commit);
  EXPECT_EQ(grant_one(opened, 3, kNow, 38)->play.state, PlayState::committed);
  EXPECT_EQ(grant_one(committed, 3, kNow, 38)->effect, Effect::none);
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
  EXPECT_EQ(
      step.play,
      (Play{.state = PlayState::opened, .epoch = 1, .deadline = kNow + Seconds{604'800}, .repeats = 0, .moves = 0}));
}

TEST(PlayMachine, ResumingRaisesTheEpochAndChangesNothingElse) {
  for (const PlayState state : {PlayState::opened, PlayState::committed}) {
    const Play before = play_in(state);
    const auto step = resume(kPolicy, before, false, kNow);
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

TEST(Resume, OnAnotherInstallationIsAMoveAndTheFifthIsRefused) {
  Play play = play_in(PlayState::committed);
  play.moves = 0;
  for (std::uint32_t move = 1; move <= 4; ++move) {
    const auto step = resume(kPolicy, play, true, kNow);
    ASSERT_TRUE(step);
    play = step->play;
    EXPECT_EQ(play.moves, move);
  }
  EXPECT_EQ(fault(resume(kPolicy, play, true, kNow)), Fault::too_many_moves);
  EXPECT_TRUE(resume(kPolicy, play, false, kNow));
}

TEST(Grant, OfAChunkThatTheMediumDoesNotHaveIsRefused) {
  const Play play = play_in(PlayState::opened);
  EXPECT_TRUE(grant_all(kPolicy, kMedium, play, uses(99, 100), 0));
  EXPECT_EQ(fault(grant_all(kPolicy, kMedium, play, uses(100, 101), 0)), Fault::unknown_chunk);
  EXPECT_EQ(fault(grant_all(kPolicy, kMedium, play, uses(99, 101), 0)), Fault::unknown_chunk);
}

TEST(Grant, OfAChunkForTheFirstTimeIsNeverRefusedForItsNumber) {
  Play play = play_in(PlayState::committed);
  play.repeats = repeats_of(kMedium);
  EXPECT_TRUE(grant_all(kPolicy, kMedium, play, uses(0, 100), 0));
  EXPECT_EQ(fault(grant_all(kPolicy, kMedium, play, uses(5, 6, 1), 0)), Fault::budget_spent);
}

TEST(Grant, CountsEveryRepeatAndRefusesTheFirstOneTooMany) {
  Play play = play_in(PlayState::committed);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 7, 1), 0)->play.repeats, 17U);
  play.repeats = 198;
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 2, 1), 0)->play.repeats, 200U);
  EXPECT_EQ(fault(grant_all(kPolicy, kMedium, play, uses(0, 3, 1), 0)), Fault::budget_spent);
  EXPECT_EQ(repeats_left(kMedium, play), 2U);
}

TEST(Grant, HasNoLimitForASingleChunk) {
  Play play = play_in(PlayState::committed);
  play.repeats = 0;
  for (int i = 0; i < 200; ++i) play = grant_all(kPolicy, kMedium, play, uses(5, 6, 1), 0)->play;
  EXPECT_EQ(play.repeats, 200U);
}

TEST(Grant, OfAnUncountedChunkIsNoRepeat) {
  const Play play = play_in(PlayState::committed);
  const std::vector<ChunkUse> leased{{.number = 5, .times = 1, .uncounted = true}};
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, leased, 0)->play.repeats, play.repeats);
}

TEST(Grant, CommitsWhenItPassesTheFreePartAndNotBefore) {
  const Play play = play_in(PlayState::opened);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 38), 0)->effect, Effect::none);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 39), 0)->effect, Effect::commit);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 1), 37)->effect, Effect::none);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 1), 38)->effect, Effect::commit);
}

TEST(Grant, OfChunksHeardBeforeDoesNotCommit) {
  const Play play = play_in(PlayState::opened);
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 38, 0, true), 38)->effect, Effect::none);
  // Not even where the operator has made the free part smaller since.
  EXPECT_EQ(grant_all(kPolicy, kMedium, play, uses(0, 38, 0, true), 90)->effect, Effect::none);
}

TEST(Grant, OfStructureChunksDoesNotCommitAndRepeatsFromThe65thOn) {
  const Extent medium = extent_of(100, 100, {{.first = 0, .count = 2}});
  Play play = play_in(PlayState::opened);
  PlayPolicy strict;
  strict.commit_after = Seconds{0};
  EXPECT_EQ(grant_all(strict, medium, play, uses(0, 2), 0)->effect, Effect::none);
  EXPECT_EQ(grant_all(strict, medium, play, uses(1, 3), 0)->effect, Effect::commit);
  EXPECT_EQ(grant_all(strict, medium, play, uses(0, 1, 63), 0)->play.repeats, play.repeats);
  EXPECT_EQ(grant_all(strict, medium, play, uses(0, 1, 64), 0)->play.repeats, play.repeats + 1);
}

TEST(Grant, OfChunksOfTheHeadCountsOnceAndRepeatsFromThe65thOn) {
  Extent medium = extent_of(100, 100);
  medium.head = 2;
  Play play = play_in(PlayState::opened);
  PlayPolicy strict;
  strict.commit_after = Seconds{0};
  EXPECT_EQ(grant_all(strict, medium, play, uses(0, 1), 0)->effect, Effect::commit);  // it holds media too
  play.state = PlayState::committed;
  play.repeats = repeats_of(medium);
  EXPECT_TRUE(grant_all(kPolicy, medium, play, uses(0, 2, 63), 0));
  EXPECT_EQ(fault(grant_all(kPolicy, medium, play, uses(0, 1, 64), 0)), Fault::budget_spent);
}

TEST(Deadline, IsAWeekOrThreeTimesTheMedium) {
  EXPECT_EQ(deadline_of(kPolicy, kMedium, kNow), kNow + Seconds{604'800});
  const Extent long_medium = extent_of(1, 360'000);
  EXPECT_EQ(deadline_of(kPolicy, long_medium, kNow), kNow + Seconds{1'080'000});
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
}

}  // namespace
}  // namespace usher::licence
