// Chunks that are counted ahead of their requests: same figures, same refusals.  licence.md §8.3.
#include "support.h"

namespace usher::store {
namespace {

class LeaseStore : public StoreTest {
 protected:
  OpenPlay committed_play() {
    const auto play = open();
    EXPECT_TRUE(grant(*play, chunks(0, 31))->committed);
    EXPECT_EQ(grant(*play, {31})->budget_left, 118U);  // 32 to 62 are counted now, and told as left
    return *play;
  }
};

TEST_F(LeaseStore, CountedAheadIsToldAsLeft) {
  issue(1);
  const OpenPlay play = committed_play();
  EXPECT_EQ(grant(play, {32})->budget_left, 117U);
  EXPECT_EQ(grant(play, {40, 41, 99})->budget_left, 114U);
  EXPECT_TRUE(succeeds(store_->verify()));
}

TEST_F(LeaseStore, EveryChunkOnceCostsExactlyTheMedium) {
  issue(1);
  const auto play = open();
  std::uint32_t budget = 150;
  for (std::uint32_t chunk = 0; chunk < 100; ++chunk) EXPECT_EQ(grant(*play, {chunk})->budget_left, --budget);
  EXPECT_EQ(budget, 50U);
}

TEST_F(LeaseStore, ChunkCountedAheadIsStillStoppedAtThree) {
  issue(1);
  const OpenPlay play = committed_play();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(succeeds(grant(play, {40})));
  EXPECT_TRUE(fails_with(grant(play, {40}), Fault::budget_spent));
}

TEST_F(LeaseStore, BatchOfWhichSomeIsCountedAheadIsWholeOrNothing) {
  issue(1);
  const OpenPlay play = committed_play();
  EXPECT_TRUE(fails_with(grant(play, {40, 100}), Fault::unknown_chunk));
  EXPECT_TRUE(fails_with(grant(play, {40, 40}), Fault::malformed));
  EXPECT_EQ(grant(play, {40})->budget_left, 117U);  // was given back both times
}

TEST_F(LeaseStore, RefusalsComeInTimeForChunksCountedAhead) {
  const Id128 licence = issue(1);
  const OpenPlay play = committed_play();
  const auto resumed = resume(play);
  EXPECT_TRUE(fails_with(grant(play, {40}), Fault::stale_epoch));
  EXPECT_TRUE(succeeds(grant(*resumed, {40})));
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  const GrantRequest request{.play = play.play, .medium = medium_.id, .epoch = resumed->epoch, .chunks = {41}};
  EXPECT_TRUE(fails_with(store_->grant_chunks(elsewhere, request, kNow), Fault::wrong_installation));
  ASSERT_TRUE(store_->revoke_licence(licence, kNow));
  EXPECT_TRUE(fails_with(grant(*resumed, {41}), Fault::licence_revoked));
  EXPECT_TRUE(fails_with(grant(*resumed, {42}, play.deadline), Fault::play_expired));
  EXPECT_TRUE(fails_with(grant(*resumed, {43}), Fault::play_over));
}

TEST_F(LeaseStore, RevocationByAnotherProcessIsSeenAtTheNextChunk) {
  const Id128 licence = issue(1);
  const OpenPlay play = committed_play();
  const auto other = open_store(directory_.file());
  ASSERT_TRUE(other->revoke_licence(licence, kNow));
  EXPECT_TRUE(fails_with(grant(play, {40}), Fault::licence_revoked));
}

TEST_F(LeaseStore, WhatARestartLosesWasCounted) {
  issue(1);
  const OpenPlay play = committed_play();
  store_ = open_store(directory_.file());
  const auto resumed = resume(play);
  EXPECT_EQ(resumed->budget_left, 150U - 32U - 31U);
  EXPECT_TRUE(succeeds(grant(*resumed, chunks(32, 63))));  // and they can still be heard
}

TEST_F(LeaseStore, NothingIsCountedAheadOfAPlayThatIsNotCommitted) {
  const Id128 licence = issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, {0}));
  store_ = open_store(directory_.file());
  EXPECT_EQ(resume(*play)->budget_left, 149U);
  EXPECT_EQ(left(licence), 0U);
}

}  // namespace
}  // namespace usher::store
