// The free part, the chunks that count, and the chunks that can be sent again, in the store.  licence.md §5.3, §5.4,
// §5.6.
#include "support.h"

namespace usher::store {
namespace {

class CountStore : public StoreTest {
 protected:
  void TearDown() override { EXPECT_TRUE(succeeds(store_->verify())); }
};

TEST_F(CountStore, WhatIsHeardForNothingAddsUpAcrossLicencesAndInstallations) {
  std::uint32_t heard = 0;
  bool counted = false;
  for (std::uint32_t i = 0; i < 7 && !counted; ++i) {
    licence::LicenceTerms what = terms(1);
    Caller caller = caller_;
    if (i % 2 == 1) caller.installation = hash_of("phone");
    what.installation = caller.installation;
    issue(what);
    const auto play = store_->open_play(caller, new_operation(), {.medium = medium_.id, .licence = what.id}, kNow);
    ASSERT_TRUE(succeeds(play));
    EXPECT_EQ(play->free_left, 38U - heard);
    EXPECT_EQ(wire::count_of(play->heard), heard);
    for (std::uint32_t chunk = i * 14; chunk < (i + 1) * 14; ++chunk) {
      const GrantRequest request{.play = play->play, .medium = medium_.id, .epoch = 1, .chunk = chunk};
      counted = store_->grant_chunk(caller, request, kNow)->committed;
      if (counted) break;
      ++heard;
    }
    ASSERT_TRUE(store_->close_play(caller, new_operation(), play->play, 1, kNow));
  }
  EXPECT_TRUE(counted);
  EXPECT_EQ(heard, 38U);
}

TEST_F(CountStore, AnotherPersonAndAnotherMediumHaveAFreePartOfTheirOwn) {
  issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 38)));
  const Caller other{.pseudonym = hash_of("bernd"), .installation = hash_of("bernd's laptop")};
  licence::LicenceTerms what = terms(1);
  what.pseudonym = other.pseudonym;
  what.installation.reset();
  issue(what);
  const auto his = store_->open_play(other, new_operation(), {.medium = medium_.id, .licence = {}}, kNow);
  EXPECT_EQ(his->free_left, 38U);
  const MediumRecord second = new_medium("second");
  ASSERT_TRUE(store_->add_medium(second, kNow));
  what = terms(1);
  what.medium = second.id;
  what.manifest = second.manifest;
  issue(what);
  EXPECT_EQ(store_->open_play(caller_, new_operation(), {.medium = second.id, .licence = {}}, kNow)->free_left, 38U);
}

TEST_F(CountStore, ClosingBeforeTheThresholdRefunds) {
  const Id128 licence = issue(1);
  const auto play = open();
  EXPECT_FALSE(grant(*play, chunks(0, 38))->committed);
  const auto closed = close(*play);
  ASSERT_TRUE(succeeds(closed));
  EXPECT_TRUE(closed->refunded);
  EXPECT_EQ(closed->plays_left, 1U);
  EXPECT_EQ(left(licence), 1U);
  EXPECT_TRUE(fails_with(grant(*play, {0}), Fault::play_over));
  EXPECT_TRUE(fails_with(resume(*play), Fault::play_over));
  EXPECT_TRUE(fails_with(close(*play), Fault::play_over));
}

TEST_F(CountStore, ClosingAfterTheThresholdDoesNot) {
  const Id128 licence = issue(1);
  const auto play = open();
  const auto granted = grant(*play, chunks(0, 39));
  ASSERT_TRUE(succeeds(granted));
  EXPECT_TRUE(granted->committed);
  EXPECT_EQ(granted->repeats_left, 200U);
  EXPECT_EQ(granted->medium.object, medium_.object);
  const auto closed = close(*play);
  EXPECT_FALSE(closed->refunded);
  EXPECT_EQ(closed->plays_left, 0U);
  EXPECT_TRUE(fails_with(open(licence), Fault::no_licence));
}

TEST_F(CountStore, RepeatedCloseTellsTheSameAndRefundsOnce) {
  const Id128 licence = issue(5);
  const auto play = open();
  const Operation operation = new_operation();
  const auto first = store_->close_play(caller_, operation, play->play, 1, kNow);
  const auto again = store_->close_play(caller_, operation, play->play, 1, kNow);
  ASSERT_TRUE(succeeds(again));
  EXPECT_EQ(again->refunded, first->refunded);
  EXPECT_EQ(again->plays_left, first->plays_left);
  EXPECT_EQ(left(licence), 5U);
}

TEST_F(CountStore, WholeTrackInRefundedPiecesFails) {
  const Id128 licence = issue(1);
  std::uint32_t heard = 0;
  for (std::uint32_t chunk = 0; chunk < medium_.extent.chunks; ++chunk) {
    const auto play = open();
    if (!play) break;
    if (grant(*play, {chunk})) ++heard;
    ASSERT_TRUE(close(*play));
  }
  EXPECT_EQ(heard, 39U);  // the free part, and the chunk that used the play up
  EXPECT_EQ(left(licence), 0U);
  EXPECT_TRUE(fails_with(open(), Fault::no_licence));
}

TEST_F(CountStore, HeardPiecesMayBeHeardAgainWithoutBeingCounted) {
  issue(1);
  for (int i = 0; i < 5; ++i) {
    const auto play = open();
    EXPECT_FALSE(grant(*play, chunks(0, 38))->committed);
    EXPECT_TRUE(close(*play)->refunded);
  }
}

TEST_F(CountStore, HeardPiecesStartAnewAfterACommit) {
  const Id128 licence = issue(2);
  auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 38)));
  ASSERT_TRUE(close(*play));
  play = open();
  EXPECT_TRUE(grant(*play, {38})->committed);
  ASSERT_TRUE(close(*play));
  play = open();
  EXPECT_FALSE(grant(*play, chunks(0, 38))->committed);
  EXPECT_TRUE(close(*play)->refunded);
  EXPECT_EQ(left(licence), 1U);
}

TEST_F(CountStore, ASecondOpenPlayDoesNotProfitFromTheFirstOnesCommit) {
  issue(2);
  const auto first = open();
  const auto second = open();
  EXPECT_FALSE(grant(*second, chunks(0, 38))->committed);
  EXPECT_TRUE(grant(*first, {38})->committed);
  EXPECT_TRUE(grant(*second, {39})->committed);  // its own free part is still there
}

TEST_F(CountStore, RefetchingWithinAPlayIsStoppedAtItsRepeats) {
  issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 100)));
  EXPECT_EQ(grant(*play, chunks(0, 100))->repeats_left, 100U);
  EXPECT_EQ(grant(*play, chunks(0, 99))->repeats_left, 1U);
  EXPECT_EQ(grant(*play, {99})->repeats_left, 0U);
  EXPECT_TRUE(fails_with(grant(*play, {98}), Fault::budget_spent));
}

TEST_F(CountStore, FirstGrantIsNotRefusedWhenTheRepeatsAreSpent) {
  issue(1);
  auto play = *open();
  ASSERT_TRUE(grant(play, chunks(0, 50)));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(succeeds(grant(play, {7})));  // no limit for a single chunk
  EXPECT_TRUE(fails_with(grant(play, {7}), Fault::budget_spent));
  play = *resume(play);
  EXPECT_EQ(play.repeats_left, 0U);
  EXPECT_TRUE(fails_with(grant(play, {7}), Fault::budget_spent));
  EXPECT_TRUE(succeeds(grant(play, chunks(50, 100))));
}

TEST_F(CountStore, StructureChunksAreNeitherHeardNorRepeatsUpToTheir64thGrant) {
  MediumRecord medium = new_medium("with headers");
  medium.extent.structure = {{.first = 0, .count = 2}};
  medium.extent.seconds = wire::even_seconds(98, medium.extent.duration);
  ASSERT_TRUE(succeeds(store_->add_medium(medium, kNow)));
  licence::LicenceTerms what = terms(1);
  what.medium = medium.id;
  what.manifest = medium.manifest;
  issue(what);
  const auto play = store_->open_play(caller_, new_operation(), {.medium = medium.id, .licence = {}}, kNow);
  ASSERT_TRUE(succeeds(play));
  for (int i = 0; i < 64; ++i) EXPECT_EQ(grant(*play, {0, 1})->repeats_left, 200U);
  EXPECT_EQ(grant(*play, {0})->repeats_left, 199U);
  EXPECT_FALSE(grant(*play, chunks(0, 10))->committed);
  EXPECT_EQ(resume(*play)->free_left, play->free_left - 8);
}

TEST_F(CountStore, HeadChunksCanBeHadAgainWhenTheRepeatsAreSpent) {
  MediumRecord medium = new_medium("with a head");
  medium.extent.head = 1;
  ASSERT_TRUE(succeeds(store_->add_medium(medium, kNow)));
  EXPECT_EQ(store_->find_medium(medium.id)->extent, medium.extent);
  licence::LicenceTerms what = terms(1);
  what.medium = medium.id;
  what.manifest = medium.manifest;
  issue(what);
  const auto play = store_->open_play(caller_, new_operation(), {.medium = medium.id, .licence = {}}, kNow);
  EXPECT_EQ(grant(*play, {0})->repeats_left, 200U);
  EXPECT_EQ(resume(*play)->free_left, 37U);  // it holds media too
  auto again = *resume(*play);
  ASSERT_TRUE(grant(again, chunks(1, 50)));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(succeeds(grant(again, {7})));
  for (int i = 1; i < 64; ++i) ASSERT_TRUE(succeeds(grant(again, {0}))) << i;
  EXPECT_TRUE(fails_with(grant(again, {0}), Fault::budget_spent));
}

TEST_F(CountStore, ChunkThatTheMediumDoesNotHaveCostsNothing) {
  issue(1);
  const auto play = open();
  EXPECT_TRUE(fails_with(grant(*play, {100}), Fault::unknown_chunk));
  EXPECT_EQ(resume(*play)->free_left, 38U);
}

TEST_F(CountStore, GrantsCrossTheRowsInWhichTheyAreKept) {
  issue(1);
  const auto play = open();
  EXPECT_FALSE(grant(*play, chunks(60, 70))->committed);
  EXPECT_FALSE(grant(*play, chunks(60, 70))->committed);
  EXPECT_FALSE(grant(*play, chunks(70, 98))->committed);
  EXPECT_TRUE(grant(*play, {0})->committed);
}

}  // namespace
}  // namespace usher::store
