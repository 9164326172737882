// Issuing, listing and revoking licences.  licence.md §7.3.
#include "support.h"

namespace usher::store {
namespace {

class LicenceStore : public StoreTest {
 protected:
  Result<Licence> issue_with(const Operation& operation, const licence::LicenceTerms& what) {
    return store_->issue(operation, document_of(what), std::nullopt, kNow);
  }
};

TEST_F(LicenceStore, KeepsTermsDocumentAndPlays) {
  licence::LicenceTerms what = terms(5);
  what.expires = unix_seconds(kNow) + 100;
  const auto document = document_of(what);
  ASSERT_TRUE(store_->issue(new_operation(), document, std::nullopt, kNow));
  const auto found = store_->find_licence(what.id);
  ASSERT_TRUE(succeeds(found));
  EXPECT_EQ(found->terms, what);
  EXPECT_EQ(found->document, document.document());
  EXPECT_EQ(found->standing.plays_left, 5U);
  EXPECT_FALSE(found->standing.first_play);
  EXPECT_FALSE(found->standing.revoked_at);
  EXPECT_EQ(found->open_plays, 0U);
}

TEST_F(LicenceStore, KeepsALicenceForATimeAndForThePersonAlone) {
  licence::LicenceTerms what = terms(std::nullopt);
  what.installation.reset();
  what.window_after_first_play = 3'600;
  issue(what);
  const auto found = store_->find_licence(what.id);
  EXPECT_EQ(found->terms, what);
  EXPECT_FALSE(found->standing.plays_left);
}

TEST_F(LicenceStore, AcquiringTwiceGivesTwoLicences) {
  issue(1);
  issue(1);
  EXPECT_EQ(store_->list_licences(caller_.pseudonym, {})->total, 2U);
}

TEST_F(LicenceStore, RetriedAcquisitionGivesOneLicenceAndTheFirstDocument) {
  const Operation operation = new_operation();
  const auto first = issue_with(operation, terms(1));
  const auto again = issue_with(operation, terms(1));  // a retry makes a document of its own
  ASSERT_TRUE(succeeds(again));
  EXPECT_EQ(again->document, first->document);
  EXPECT_EQ(store_->list_licences(caller_.pseudonym, {})->total, 1U);
  EXPECT_EQ((*store_->issued_before(caller_.pseudonym, operation))->document, first->document);
  EXPECT_FALSE(*store_->issued_before(caller_.pseudonym, new_operation()));
}

TEST_F(LicenceStore, SameOperationWithOtherContentIsRefused) {
  Operation operation = new_operation("one play");
  ASSERT_TRUE(issue_with(operation, terms(1)));
  operation.content = hash_of("twenty plays");
  EXPECT_TRUE(fails_with(issue_with(operation, terms(20)), Fault::operation_conflict));
  EXPECT_TRUE(fails_with(store_->issued_before(caller_.pseudonym, operation), Fault::operation_conflict));
  EXPECT_EQ(store_->list_licences(caller_.pseudonym, {})->total, 1U);
}

TEST_F(LicenceStore, SameOperationForAnotherVerbIsRefused) {
  const Operation operation = new_operation();
  ASSERT_TRUE(issue_with(operation, terms(1)));
  EXPECT_TRUE(fails_with(store_->open_play(caller_, operation, {.medium = medium_.id, .licence = {}}, kNow),
                         Fault::operation_conflict));
}

TEST_F(LicenceStore, OperationsOfTwoPeopleAreTheirOwn) {
  const Operation operation = new_operation();
  ASSERT_TRUE(issue_with(operation, terms(1)));
  licence::LicenceTerms other = terms(1);
  other.pseudonym = hash_of("bernd");
  const auto issued = issue_with(operation, other);
  ASSERT_TRUE(succeeds(issued));
  EXPECT_EQ(issued->terms.id, other.id);
}

TEST_F(LicenceStore, ForgottenOperationIsANewOne) {
  const Operation operation = new_operation();
  ASSERT_TRUE(issue_with(operation, terms(1)));
  EXPECT_EQ(*store_->forget_operations(kNow), 0U);
  EXPECT_EQ(*store_->forget_operations(kNow + Milliseconds{1}), 1U);
  EXPECT_FALSE(*store_->issued_before(caller_.pseudonym, operation));
}

TEST_F(LicenceStore, UnknownMediumAndAnotherManifestAreRefused) {
  licence::LicenceTerms what = terms(1);
  what.manifest = hash_of("another");
  EXPECT_TRUE(fails_with(issue_with(new_operation(), what), Fault::release_mismatch));
  what = terms(1);
  what.medium = random().id();
  EXPECT_TRUE(fails_with(issue_with(new_operation(), what), Fault::unknown_medium));
  EXPECT_EQ(store_->list_all_licences({})->total, 0U);
}

TEST_F(LicenceStore, SameLicenceUnderAnotherOperationIsRefused) {
  const licence::LicenceTerms what = terms(1);
  issue(what);
  EXPECT_TRUE(fails_with(issue_with(new_operation(), what), Fault::already_exists));
}

TEST_F(LicenceStore, ListsAPersonsOwnInOrderAndInParts) {
  const Id128 first = issue(1);
  licence::LicenceTerms other = terms(1);
  other.pseudonym = hash_of("bernd");
  issue(other);
  const Id128 second = issue(2);
  const auto mine = store_->list_licences(caller_.pseudonym, {});
  ASSERT_EQ(mine->entries.size(), 2U);
  EXPECT_EQ(mine->entries[0].terms.id, first);
  EXPECT_EQ(mine->entries[1].terms.id, second);
  EXPECT_EQ(store_->list_licences(caller_.pseudonym, {.offset = 1, .count = 5})->entries.at(0).terms.id, second);
  EXPECT_EQ(store_->list_all_licences({})->total, 3U);
}

TEST_F(LicenceStore, RevokedLicenceKeepsItsFirstDate) {
  const Id128 licence = issue(1);
  ASSERT_TRUE(store_->revoke_licence(licence, kNow));
  const auto again = store_->revoke_licence(licence, kNow + Seconds{10});
  EXPECT_EQ(again->standing.revoked_at, unix_seconds(kNow));
  EXPECT_TRUE(fails_with(store_->revoke_licence(random().id(), kNow), Fault::unknown_licence));
  EXPECT_TRUE(fails_with(store_->find_licence(random().id()), Fault::unknown_licence));
}

}  // namespace
}  // namespace usher::store
