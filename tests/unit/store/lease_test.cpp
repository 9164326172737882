// Chunks that are counted ahead of their requests: same figures, same refusals, and nothing is lost.  licence.md §8.3.
#include "support.h"

namespace usher::store {
namespace {

constexpr std::uint32_t kAll = 200;  // repeats of the medium

class LeaseStore : public StoreTest {
 protected:
  void TearDown() override { EXPECT_TRUE(succeeds(store_->verify())); }

  /// 0 to 39 were asked for, 40 to 49 are leased: ten seconds' worth.
  OpenPlay committed_play() {
    const auto play = open();
    EXPECT_TRUE(grant(*play, chunks(0, 39))->committed);
    EXPECT_TRUE(succeeds(grant(*play, {39})));
    return *play;
  }
  /// As after kill -9: nothing is given back.
  void crash() { store_ = open_store(directory_.file(), options_); }
  void stop() {
    ASSERT_TRUE(succeeds(store_->give_back_leases()));
    crash();
  }
  std::uint32_t repeats_left(const OpenPlay& play) { return resume(play)->repeats_left; }
};

TEST_F(LeaseStore, EveryChunkOnceIsNoRepeat) {
  issue(1);
  const auto play = open();
  for (std::uint32_t chunk = 0; chunk < 100; ++chunk) ASSERT_EQ(grant(*play, {chunk})->repeats_left, kAll);
  for (std::uint32_t chunk = 0; chunk < 100; ++chunk) ASSERT_EQ(grant(*play, {chunk})->repeats_left, kAll - 1 - chunk);
}

TEST_F(LeaseStore, ChunksInAnyOrderAreNoRepeats) {
  issue(1);
  OpenPlay play = committed_play();
  for (const std::uint32_t chunk : {42, 40, 41, 44, 43, 60, 61, 45, 99, 46, 62, 50, 49, 48, 47, 51}) {
    ASSERT_EQ(grant(play, {chunk})->repeats_left, kAll) << chunk;
  }
  EXPECT_EQ(grant(play, {62})->repeats_left, kAll - 1);
}

TEST_F(LeaseStore, ChunkThatWasLeasedAndSentIsARepeatTheSecondTime) {
  issue(1);
  const OpenPlay play = committed_play();
  EXPECT_EQ(grant(play, {40})->repeats_left, kAll);
  EXPECT_EQ(grant(play, {40})->repeats_left, kAll - 1);
}

TEST_F(LeaseStore, RefusalsComeInTimeForLeasedChunks) {
  const Id128 licence = issue(1);
  const OpenPlay play = committed_play();
  const auto resumed = resume(play);
  EXPECT_TRUE(fails_with(grant(play, {40}), Fault::stale_epoch));
  EXPECT_EQ(grant(*resumed, {40})->repeats_left, kAll);  // the refusal cost nothing
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  const GrantRequest request{.play = play.play, .medium = medium_.id, .epoch = resumed->epoch, .chunk = 41};
  EXPECT_TRUE(fails_with(store_->grant_chunk(elsewhere, request, kNow), Fault::wrong_installation));
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

TEST_F(LeaseStore, CleanStopGivesBackWhatWasNotAskedFor) {
  issue(1);
  OpenPlay play = committed_play();
  for (int restart = 0; restart < 3; ++restart) {
    stop();
    play = *resume(play);
    // The same chunk is the first again, so the same ten are leased, and given back.
    ASSERT_EQ(grant(play, {39})->repeats_left, kAll - 1 - static_cast<std::uint32_t>(restart));
  }
  stop();
  play = *resume(play);
  EXPECT_EQ(grant(play, chunks(40, 100))->repeats_left, kAll - 3);
  EXPECT_EQ(grant(play, {45})->repeats_left, kAll - 4);
}

TEST_F(LeaseStore, CrashForgivesEachLeasedChunkOnce) {
  issue(1);
  OpenPlay play = committed_play();
  ASSERT_TRUE(grant(play, {40}));
  crash();
  play = *resume(play);
  EXPECT_EQ(grant(play, chunks(40, 50))->repeats_left, kAll);  // 40 had been sent: the store cannot know
  EXPECT_EQ(grant(play, chunks(40, 50))->repeats_left, kAll - 10);
}

TEST_F(LeaseStore, ChunkIsForgivenAtMostOnceInAPlaysLife) {
  issue(1);
  OpenPlay play = committed_play();
  std::uint32_t extra = 0;
  for (int provoked = 0; provoked < 20; ++provoked) {
    crash();
    play = *resume(play);
    const std::uint32_t before = play.repeats_left;
    const std::uint32_t after = grant(play, chunks(40, 50))->repeats_left;
    extra += 10 - (before - after);
    if (after < 20) break;
    ASSERT_TRUE(grant(play, {39}));
  }
  EXPECT_EQ(extra, 10U);
}

TEST_F(LeaseStore, HonestListenerReachesTheEndThroughACrashAtEveryChunk) {
  issue(1);
  OpenPlay play = *open();
  for (std::uint32_t chunk = 0; chunk < 100; ++chunk) {
    crash();
    play = *resume(play);
    ASSERT_TRUE(succeeds(grant(play, {chunk})));
    ASSERT_EQ(repeats_left(play), kAll);
    play.epoch += 1;
  }
}

TEST_F(LeaseStore, LeaseOfAnotherProcessIsNotSpentTwice) {
  issue(1);
  const OpenPlay play = committed_play();
  const auto other = open_store(directory_.file(), options_);
  const GrantRequest request{.play = play.play, .medium = medium_.id, .epoch = play.epoch, .chunk = 40};
  EXPECT_EQ(other->grant_chunk(caller_, request, kNow)->repeats_left, kAll);      // forgiven
  EXPECT_EQ(other->grant_chunk(caller_, request, kNow)->repeats_left, kAll - 1);  // and counted
}

TEST_F(LeaseStore, LeasesEndWithTheirPlay) {
  issue(2);
  const OpenPlay play = committed_play();
  ASSERT_TRUE(close(play));
  EXPECT_TRUE(succeeds(store_->verify()));
  EXPECT_TRUE(succeeds(store_->give_back_leases()));
  EXPECT_TRUE(fails_with(grant(play, {40}), Fault::play_over));
}

TEST_F(LeaseStore, NothingIsLeasedToAPlayThatIsNotCommitted) {
  const Id128 licence = issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, {0}));
  crash();
  const auto resumed = resume(*play);
  EXPECT_EQ(resumed->free_left, 37U);
  EXPECT_EQ(resumed->heard, (wire::ChunkRanges{{.first = 0, .count = 1}}));
  EXPECT_EQ(left(licence), 0U);
}

TEST_F(LeaseStore, HoldsAtMost31Chunks) {
  MediumRecord medium = new_medium("fine", 3'100);
  medium.extent.duration = Seconds{100};
  medium.extent.seconds = wire::even_seconds(3'100, medium.extent.duration);
  ASSERT_TRUE(store_->add_medium(medium, kNow));
  licence::LicenceTerms what = terms(1);
  what.medium = medium.id;
  what.manifest = medium.manifest;
  issue(what);
  auto play = store_->open_play(caller_, new_operation(), {.medium = medium.id, .licence = {}}, kNow);
  ASSERT_TRUE(grant(*play, chunks(0, 2'900)));
  ASSERT_TRUE(grant(*play, {3'000}));  // far from the lease before, so that a new one begins at 3,001
  crash();
  play = resume(*play);
  // 3,001 to 3,031 were leased and are forgiven; the chunks after them were never granted.
  EXPECT_EQ(grant(*play, chunks(3'001, 3'100))->repeats_left, 6'200U);
  EXPECT_EQ(grant(*play, chunks(3'001, 3'100))->repeats_left, 6'101U);
}

}  // namespace
}  // namespace usher::store
