// Opening, granting, resuming and closing plays in the store.  licence.md §5, §7.4.
#include "support.h"

namespace usher::store {
namespace {

class PlayStore : public StoreTest {
 protected:
  void TearDown() override { EXPECT_TRUE(succeeds(store_->verify())); }
};

TEST_F(PlayStore, OpeningReservesOnePlay) {
  const Id128 licence = issue(5);
  const auto play = open(licence);
  ASSERT_TRUE(succeeds(play));
  EXPECT_EQ(play->licence, licence);
  EXPECT_EQ(play->medium, medium_.id);
  EXPECT_EQ(play->epoch, 1U);
  EXPECT_EQ(play->deadline, kNow + Seconds{604'800});
  EXPECT_EQ(play->plays_left, 4U);
  EXPECT_EQ(play->commit_after, Seconds{30});
  EXPECT_EQ(play->free_left, 38U);
  EXPECT_EQ(play->repeats_left, 200U);
  EXPECT_TRUE(play->heard.empty());
  EXPECT_FALSE(play->committed);
  EXPECT_EQ(left(licence), 4U);
  EXPECT_EQ(store_->find_licence(licence)->open_plays, 1U);
}

TEST_F(PlayStore, NobodyOpensMoreThanThereIs) {
  const Id128 licence = issue(1);
  ASSERT_TRUE(open(licence));
  EXPECT_TRUE(fails_with(open(licence), Fault::no_licence));
  EXPECT_TRUE(fails_with(open(), Fault::no_licence));
  EXPECT_EQ(left(licence), 0U);
}

TEST_F(PlayStore, WithoutAnyLicenceIsRefused) { EXPECT_TRUE(fails_with(open(), Fault::no_licence)); }

TEST_F(PlayStore, RepeatedOpenIsTheSamePlayAndChargedOnce) {
  const Id128 licence = issue(2);
  const Operation operation = new_operation();
  const OpenRequest request{.medium = medium_.id, .licence = licence};
  const auto first = store_->open_play(caller_, operation, request, kNow);
  ASSERT_TRUE(grant(*first, {0}));
  const auto again = store_->open_play(caller_, operation, request, kNow + Seconds{1});
  ASSERT_TRUE(succeeds(again));
  EXPECT_EQ(again->play, first->play);
  EXPECT_EQ(again->epoch, first->epoch);
  EXPECT_EQ(again->plays_left, first->plays_left);
  EXPECT_EQ(again->free_left, 37U);  // as it is now
  EXPECT_EQ(left(licence), 1U);
}

TEST_F(PlayStore, FailedOperationCanBeRepeatedWithSuccess) {
  const Operation operation = new_operation();
  const OpenRequest request{.medium = medium_.id, .licence = {}};
  EXPECT_TRUE(fails_with(store_->open_play(caller_, operation, request, kNow), Fault::no_licence));
  issue(1);
  EXPECT_TRUE(succeeds(store_->open_play(caller_, operation, request, kNow)));
}

TEST_F(PlayStore, ServerChoosesTheLicenceThatEndsFirst) {
  issue(1);
  licence::LicenceTerms later = terms(1);
  later.expires = unix_seconds(kNow) + 2'000;
  issue(later);
  licence::LicenceTerms sooner = terms(1);
  sooner.expires = unix_seconds(kNow) + 1'000;
  issue(sooner);
  EXPECT_EQ(open()->licence, sooner.id);
  EXPECT_EQ(open()->licence, later.id);
  EXPECT_TRUE(open());
  EXPECT_TRUE(fails_with(open(), Fault::no_licence));
}

TEST_F(PlayStore, WhyThereIsNoUsableLicenceIsTheNewestOnesReason) {
  licence::LicenceTerms future = terms(1);
  future.not_before = unix_seconds(kNow) + 10;
  issue(future);
  EXPECT_TRUE(fails_with(open(), Fault::licence_not_yet_valid));
  const Id128 revoked = issue(1);
  ASSERT_TRUE(store_->revoke_licence(revoked, kNow));
  EXPECT_TRUE(fails_with(open(), Fault::licence_revoked));
}

TEST_F(PlayStore, OtherPeoplesLicencesAndPlaysAreUnknown) {
  const Id128 licence = issue(2);
  const auto play = open(licence);
  const Caller thief{.pseudonym = hash_of("bernd"), .installation = caller_.installation};
  EXPECT_TRUE(fails_with(store_->open_play(thief, new_operation(), {.medium = medium_.id, .licence = licence}, kNow),
                         Fault::unknown_licence));
  EXPECT_TRUE(fails_with(store_->open_play(thief, new_operation(), {.medium = medium_.id, .licence = {}}, kNow),
                         Fault::no_licence));
  EXPECT_TRUE(fails_with(store_->resume_play(thief, new_operation(), play->play, kNow), Fault::unknown_play));
  EXPECT_TRUE(fails_with(store_->close_play(thief, new_operation(), play->play, 1, kNow), Fault::unknown_play));
  const GrantRequest request{.play = play->play, .medium = medium_.id, .epoch = 1, .chunk = 0};
  EXPECT_TRUE(fails_with(store_->grant_chunk(thief, request, kNow), Fault::unknown_play));
  EXPECT_TRUE(store_->list_plays(thief, kNow)->empty());
}

TEST_F(PlayStore, UnknownPlayAndAnotherMediumAreRefused) {
  issue(1);
  const auto play = open();
  GrantRequest request{.play = random().id(), .medium = medium_.id, .epoch = 1, .chunk = 0};
  EXPECT_TRUE(fails_with(store_->grant_chunk(caller_, request, kNow), Fault::unknown_play));
  request = {.play = play->play, .medium = random().id(), .epoch = 1, .chunk = 0};
  EXPECT_TRUE(fails_with(store_->grant_chunk(caller_, request, kNow), Fault::unknown_play));
  EXPECT_TRUE(fails_with(store_->resume_play(caller_, new_operation(), random().id(), kNow), Fault::unknown_play));
  EXPECT_TRUE(fails_with(store_->open_play(caller_, new_operation(), {.medium = random().id(), .licence = {}}, kNow),
                         Fault::unknown_medium));
  EXPECT_TRUE(fails_with(open(random().id()), Fault::unknown_licence));
}

TEST_F(PlayStore, LicenceOfAnotherMediumIsUnknownHere) {
  const MediumRecord other = new_medium("other");
  ASSERT_TRUE(store_->add_medium(other, kNow));
  const Id128 licence = issue(1);
  EXPECT_TRUE(fails_with(store_->open_play(caller_, new_operation(), {.medium = other.id, .licence = licence}, kNow),
                         Fault::unknown_licence));
}

// --- installations

TEST_F(PlayStore, AnotherInstallationOfThePersonIsRefused) {
  const Id128 licence = issue(2);
  const auto play = open(licence);
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  EXPECT_TRUE(
      fails_with(store_->open_play(elsewhere, new_operation(), {.medium = medium_.id, .licence = licence}, kNow),
                 Fault::wrong_installation));
  EXPECT_TRUE(fails_with(store_->open_play(elsewhere, new_operation(), {.medium = medium_.id, .licence = {}}, kNow),
                         Fault::wrong_installation));
  EXPECT_TRUE(fails_with(store_->resume_play(elsewhere, new_operation(), play->play, kNow), Fault::wrong_installation));
  EXPECT_TRUE(
      fails_with(store_->close_play(elsewhere, new_operation(), play->play, 1, kNow), Fault::wrong_installation));
  const GrantRequest request{.play = play->play, .medium = medium_.id, .epoch = 1, .chunk = 0};
  EXPECT_TRUE(fails_with(store_->grant_chunk(elsewhere, request, kNow), Fault::wrong_installation));
  EXPECT_TRUE(store_->list_plays(elsewhere, kNow)->empty());
}

TEST_F(PlayStore, ALicenceThatWouldDoElsewhereIsTheReasonAndNotOneThatIsOver) {
  issue(2);
  licence::LicenceTerms over = terms(1);
  over.expires = unix_seconds(kNow) + 1;
  issue(over);  // the newest one
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  const OpenRequest request{.medium = medium_.id, .licence = {}};
  EXPECT_TRUE(
      fails_with(store_->open_play(elsewhere, new_operation(), request, kNow + Seconds{5}), Fault::wrong_installation));
}

TEST_F(PlayStore, APlayThatAnOverdueOneReservesIsFoundBeforeTheMediumIsOpenedToo) {
  licence::LicenceTerms other = terms(1);
  other.installation = hash_of("phone");
  issue(other);
  const Id128 own = issue(1);
  const auto first = open();
  ASSERT_TRUE(succeeds(first));
  const Time later = first->deadline;
  const OpenRequest request{.medium = medium_.id, .licence = {}};
  const Operation operation = new_operation();
  EXPECT_TRUE(succeeds(store_->check_open(caller_, operation, request, later)));
  const auto second = store_->open_play(caller_, operation, request, later);
  ASSERT_TRUE(succeeds(second));
  EXPECT_EQ(second->licence, own);
}

TEST_F(PlayStore, ALicenceForAnotherInstallationIsNotChosenBeforeOneThatFits) {
  licence::LicenceTerms other = terms(1);
  other.installation = hash_of("phone");
  other.expires = unix_seconds(kNow) + 60;
  issue(other);
  const Id128 own = issue(1);
  const auto play = open();
  ASSERT_TRUE(succeeds(play));
  EXPECT_EQ(play->licence, own);
}

TEST_F(PlayStore, LicenceOfThePersonAlonePlaysAnywhereButOnOneDeviceAtATime) {
  licence::LicenceTerms what = terms(1);
  what.installation.reset();
  issue(what);
  const auto here = open();
  ASSERT_TRUE(grant(*here, {0}));
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  GrantRequest request{.play = here->play, .medium = medium_.id, .epoch = 1, .chunk = 1};
  EXPECT_TRUE(fails_with(store_->grant_chunk(elsewhere, request, kNow), Fault::wrong_installation));
  const auto there = store_->resume_play(elsewhere, new_operation(), here->play, kNow);
  ASSERT_TRUE(succeeds(there));
  request.epoch = there->epoch;
  EXPECT_TRUE(succeeds(store_->grant_chunk(elsewhere, request, kNow)));
  EXPECT_TRUE(fails_with(grant(*here, {1}), Fault::stale_epoch));
}

// A reissued client certificate keeps its key, and a licence is bound to the hash of that key only.
TEST_F(PlayStore, SameInstallationKeyWorksWhateverTheCertificate) {
  issue(1);
  const Caller reissued{.pseudonym = caller_.pseudonym, .installation = hash_of("anna's laptop")};
  EXPECT_TRUE(succeeds(store_->open_play(reissued, new_operation(), {.medium = medium_.id, .licence = {}}, kNow)));
}

TEST_F(PlayStore, PlayIsMovedBetweenInstallationsFourTimesAndNotAFifth) {
  licence::LicenceTerms what = terms(1);
  what.installation.reset();
  issue(what);
  auto play = open();
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  for (int move = 0; move < 4; ++move) {
    play = store_->resume_play(move % 2 == 0 ? elsewhere : caller_, new_operation(), play->play, kNow);
    ASSERT_TRUE(succeeds(play));
  }
  EXPECT_TRUE(fails_with(store_->resume_play(elsewhere, new_operation(), play->play, kNow), Fault::too_many_moves));
  EXPECT_EQ(store_->list_plays(elsewhere, kNow)->size(), 1U);
  play = resume(*play);  // on the installation that has it now, it continues
  EXPECT_TRUE(succeeds(grant(*play, {0})));
}

// --- resuming

TEST_F(PlayStore, ResumingIsFreeAndRaisesTheEpoch) {
  const Id128 licence = issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 50)));
  const auto resumed = resume(*play, kNow + Seconds{60});
  ASSERT_TRUE(succeeds(resumed));
  EXPECT_EQ(resumed->play, play->play);
  EXPECT_EQ(resumed->epoch, 2U);
  EXPECT_EQ(resumed->deadline, play->deadline);
  EXPECT_EQ(resumed->repeats_left, 200U);
  EXPECT_EQ(resumed->free_left, 0U);
  EXPECT_TRUE(resumed->heard.empty());
  EXPECT_TRUE(resumed->committed);
  EXPECT_EQ(left(licence), 0U);
  EXPECT_TRUE(fails_with(grant(*play, {50}), Fault::stale_epoch));
  EXPECT_TRUE(fails_with(close(*play), Fault::stale_epoch));
  EXPECT_TRUE(succeeds(grant(*resumed, {50})));
}

TEST_F(PlayStore, RepeatedResumeRaisesTheEpochOnce) {
  issue(1);
  const auto play = open();
  const Operation operation = new_operation();
  const auto first = store_->resume_play(caller_, operation, play->play, kNow);
  const auto again = store_->resume_play(caller_, operation, play->play, kNow);
  EXPECT_EQ(first->epoch, 2U);
  EXPECT_EQ(again->epoch, 2U);
  EXPECT_TRUE(succeeds(grant(*again, {0})));
}

TEST_F(PlayStore, OpenPlaysAreListedTheNewestFirst) {
  issue(3);
  const auto first = open();
  const auto second = open();
  const auto third = open();
  ASSERT_TRUE(grant(*first, chunks(0, 39)));
  ASSERT_TRUE(close(*second));
  const auto plays = store_->list_plays(caller_, kNow);
  ASSERT_EQ(plays->size(), 2U);
  EXPECT_EQ((*plays)[0].play, third->play);
  EXPECT_EQ((*plays)[1].play, first->play);
  EXPECT_TRUE((*plays)[1].committed);
  EXPECT_TRUE(store_->list_plays(caller_, first->deadline)->empty());
}

TEST_F(PlayStore, TooManyOpenPlaysOfAMediumAreRefusedWhateverLicencesTheyUse) {
  const Id128 licence = issue(20);
  const Id128 another = issue(20);
  for (std::uint32_t i = 0; i < options_.max_open_plays; ++i) ASSERT_TRUE(open(licence));
  EXPECT_TRUE(fails_with(open(licence), Fault::too_many_plays));
  EXPECT_TRUE(fails_with(open(another), Fault::too_many_plays));
  EXPECT_EQ(left(another), 20U);
  EXPECT_EQ(left(licence), 20U - options_.max_open_plays);
}

// --- time

TEST_F(PlayStore, LicenceThatExpiresBetweenTwoChunksIsRefusedAndNothingChanges) {
  licence::LicenceTerms what = terms(1);
  what.expires = unix_seconds(kNow) + 10;
  issue(what);
  const auto play = open();
  ASSERT_TRUE(grant(*play, {0}, kNow + Milliseconds{9'999}));
  EXPECT_TRUE(fails_with(grant(*play, {1}, kNow + Seconds{10}), Fault::licence_expired));
  EXPECT_TRUE(fails_with(resume(*play, kNow + Seconds{10}), Fault::licence_expired));
  EXPECT_TRUE(fails_with(open(kNow + Seconds{10}), Fault::licence_expired));
  EXPECT_TRUE(succeeds(grant(*play, {1}, kNow)));  // the clock was set back: the refusals have changed nothing
  EXPECT_TRUE(close(*play, kNow + Seconds{10})->refunded);
}

TEST_F(PlayStore, RevocationStopsARunningPlay) {
  const Id128 licence = issue(1);
  const auto play = open();
  ASSERT_TRUE(grant(*play, {0}));
  ASSERT_TRUE(store_->revoke_licence(licence, kNow));
  EXPECT_TRUE(fails_with(grant(*play, {1}), Fault::licence_revoked));
  EXPECT_TRUE(fails_with(resume(*play), Fault::licence_revoked));
}

TEST_F(PlayStore, WindowBeginsWithTheFirstCommittedPlay) {
  licence::LicenceTerms what = terms(std::nullopt);
  what.window_after_first_play = 100;
  issue(what);
  const auto trial = open();
  ASSERT_TRUE(grant(*trial, chunks(0, 38)));
  ASSERT_TRUE(close(*trial));
  const Time later = kNow + Seconds{1'000};
  const auto play = open(later);
  ASSERT_TRUE(succeeds(play));
  EXPECT_TRUE(grant(*play, {38}, later)->committed);
  EXPECT_EQ(store_->find_licence(what.id)->standing.first_play, unix_seconds(later));
  EXPECT_TRUE(succeeds(grant(*play, {39}, later + Seconds{99})));
  // A committed play may be finished; no new one begins.
  EXPECT_TRUE(succeeds(grant(*play, {40}, later + Seconds{100})));
  EXPECT_TRUE(fails_with(open(later + Seconds{100}), Fault::licence_expired));
}

TEST_F(PlayStore, CommittedPlayMayBeFinishedAfterItsLicenceHasEnded) {
  licence::LicenceTerms what = terms(2);
  what.expires = unix_seconds(kNow) + 10;
  issue(what);
  const auto play = open();
  const auto trial = open();
  ASSERT_TRUE(grant(*play, chunks(0, 39))->committed);
  const Time later = kNow + Seconds{100'000};
  EXPECT_TRUE(fails_with(grant(*trial, {0}, later), Fault::licence_expired));
  EXPECT_TRUE(succeeds(grant(*play, {39}, later)));
  const auto resumed = resume(*play, later);
  ASSERT_TRUE(succeeds(resumed));
  EXPECT_TRUE(succeeds(grant(*resumed, chunks(40, 100), later)));
  EXPECT_EQ(store_->list_plays(caller_, later)->size(), 1U);
  ASSERT_TRUE(store_->revoke_licence(what.id, later));
  EXPECT_TRUE(fails_with(grant(*resumed, {99}, later), Fault::licence_revoked));
}

TEST_F(PlayStore, LicenceForATimeIsNotCounted) {
  licence::LicenceTerms what = terms(std::nullopt);
  what.expires = unix_seconds(kNow) + 1'000;
  issue(what);
  for (int i = 0; i < 30; ++i) {
    const auto play = open();
    ASSERT_TRUE(succeeds(play));
    EXPECT_FALSE(play->plays_left);
    ASSERT_TRUE(grant(*play, chunks(0, 39)));
    EXPECT_FALSE(close(*play)->refunded);
  }
}

TEST_F(PlayStore, PlayThatPassedItsDeadlineIsRefundedOrEnds) {
  const Id128 licence = issue(2);
  const auto trial = open();
  const auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 39)));
  EXPECT_TRUE(fails_with(grant(*play, {50}, play->deadline), Fault::play_expired));
  EXPECT_EQ(left(licence), 1U);  // the refusal ended both, and refunded the trial
  EXPECT_TRUE(fails_with(grant(*trial, {0}), Fault::play_over));
  EXPECT_TRUE(fails_with(resume(*play, play->deadline), Fault::play_over));
  EXPECT_EQ(*store_->expire_plays(play->deadline), 0U);
}

TEST_F(PlayStore, ExpiringIsNotBeforeTheDeadline) {
  const Id128 licence = issue(1);
  const auto play = open();
  EXPECT_EQ(*store_->expire_plays(play->deadline - Milliseconds{1}), 0U);
  EXPECT_EQ(*store_->expire_plays(play->deadline), 1U);
  EXPECT_EQ(left(licence), 1U);
}

TEST_F(PlayStore, ReservationOfADeadPlayIsThereAgainForTheNextOne) {
  issue(1);
  const auto dead = open();
  EXPECT_TRUE(fails_with(open(dead->deadline - Milliseconds{1}), Fault::no_licence));
  EXPECT_TRUE(succeeds(open(dead->deadline)));
}

TEST_F(PlayStore, ManyDeadPlaysExpireInParts) {
  std::vector<Id128> licences;
  options_.max_open_plays = 1'000;
  store_ = open_store(directory_.file(), options_);
  const Id128 licence = issue(600);
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(open(licence));
  EXPECT_EQ(*store_->expire_plays(kNow + Seconds{604'800}), 600U);
  EXPECT_EQ(left(licence), 600U);
}

}  // namespace
}  // namespace usher::store
