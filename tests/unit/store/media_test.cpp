// Media, people, revocation floors and operations in the store.
#include "support.h"

namespace usher::store {
namespace {

class MediaStore : public StoreTest {};

TEST_F(MediaStore, KeepsEverythingOfAMedium) {
  const auto found = store_->find_medium(medium_.id);
  ASSERT_TRUE(succeeds(found));
  EXPECT_EQ(found->manifest, medium_.manifest);
  EXPECT_EQ(found->object, medium_.object);
  EXPECT_EQ(found->chunk_size, 65'536U);
  EXPECT_EQ(found->extent, medium_.extent);
  EXPECT_EQ(found->size, 6'553'600U);
  EXPECT_EQ(found->added_at, kNow);
  EXPECT_FALSE(found->removed_at);
}

TEST_F(MediaStore, RefusesAMediumWhoseChunksCannotLieInTime) {
  MediumRecord medium = new_medium("impossible");
  medium.extent.duration = Milliseconds{0};
  EXPECT_TRUE(fails_with(store_->add_medium(medium, kNow), Fault::malformed));
}

TEST_F(MediaStore, ListsInTheOrderOfAdditionAndInParts) {
  ASSERT_TRUE(store_->add_medium(new_medium("b"), kNow));
  ASSERT_TRUE(store_->add_medium(new_medium("a"), kNow));
  const auto all = store_->list_media({});
  ASSERT_EQ(all->entries.size(), 3U);
  EXPECT_EQ(all->entries[1].id, new_medium("b").id);
  EXPECT_EQ(all->entries[2].id, new_medium("a").id);
  const auto part = store_->list_media({.offset = 1, .count = 1});
  EXPECT_EQ(part->total, 3U);
  ASSERT_EQ(part->entries.size(), 1U);
  EXPECT_EQ(part->entries[0].id, new_medium("b").id);
}

TEST_F(MediaStore, SecondAdditionIsRefused) {
  EXPECT_TRUE(fails_with(store_->add_medium(medium_, kNow), Fault::already_exists));
}

TEST_F(MediaStore, MediumWithoutChunksIsRefused) {
  EXPECT_TRUE(fails_with(store_->add_medium(new_medium("empty", 0), kNow), Fault::malformed));
}

TEST_F(MediaStore, RemovedMediumIsOutOfTheCatalogueButStaysKnown) {
  ASSERT_TRUE(store_->remove_medium(medium_.id, kNow));
  EXPECT_EQ(store_->list_media({})->total, 0U);
  EXPECT_EQ(store_->find_medium(medium_.id)->removed_at, kNow);
  EXPECT_TRUE(fails_with(store_->remove_medium(medium_.id, kNow), Fault::unknown_medium));
  EXPECT_TRUE(fails_with(store_->find_medium(random().id()), Fault::unknown_medium));
}

TEST_F(MediaStore, RemovedMediumComesBackWithTheSameManifestOnly) {
  const Id128 licence = issue(1);
  ASSERT_TRUE(store_->remove_medium(medium_.id, kNow));
  MediumRecord other = medium_;
  other.manifest = hash_of("another");
  EXPECT_TRUE(fails_with(store_->add_medium(other, kNow), Fault::already_exists));
  MediumRecord again = medium_;
  again.object = random().id();
  ASSERT_TRUE(succeeds(store_->add_medium(again, kNow)));
  EXPECT_EQ(store_->find_medium(medium_.id)->object, again.object);
  EXPECT_TRUE(succeeds(open(licence)));
}

TEST_F(MediaStore, PlaysOfARemovedMediumAreRefusedAndCanStillBeClosed) {
  const Id128 licence = issue(2);
  const auto play = open(licence);
  ASSERT_TRUE(succeeds(play));
  ASSERT_TRUE(store_->remove_medium(medium_.id, kNow));
  EXPECT_TRUE(fails_with(grant(*play, {0}), Fault::unknown_medium));
  EXPECT_TRUE(fails_with(resume(*play), Fault::unknown_medium));
  EXPECT_TRUE(fails_with(open(licence), Fault::unknown_medium));
  EXPECT_TRUE(store_->list_plays(caller_, kNow)->empty());
  EXPECT_TRUE(close(*play)->refunded);
  EXPECT_EQ(left(licence), 2U);
}

TEST_F(MediaStore, LicencesOfARemovedMediumSaySoUntilItIsBack) {
  const Id128 licence = issue(2);
  EXPECT_FALSE(store_->find_licence(licence)->medium_removed);
  ASSERT_TRUE(store_->remove_medium(medium_.id, kNow));
  EXPECT_TRUE(store_->find_licence(licence)->medium_removed);
  EXPECT_TRUE(store_->list_all_licences({})->entries.at(0).medium_removed);
  EXPECT_TRUE(store_->list_licences(caller_.pseudonym, {})->entries.at(0).medium_removed);
  ASSERT_TRUE(store_->add_medium(medium_, kNow));
  EXPECT_FALSE(store_->find_licence(licence)->medium_removed);
}

TEST_F(MediaStore, LicenceForARemovedMediumIsRefusedAtIssue) {
  ASSERT_TRUE(store_->remove_medium(medium_.id, kNow));
  EXPECT_TRUE(
      fails_with(store_->issue(new_operation(), document_of(terms(1)), std::nullopt, kNow), Fault::unknown_medium));
}

TEST_F(MediaStore, PeopleAreNotedOnce) {
  ASSERT_TRUE(store_->note_person(caller_, kNow));
  Caller elsewhere = caller_;
  elsewhere.installation = hash_of("phone");
  ASSERT_TRUE(store_->note_person(elsewhere, kNow + Seconds{5}));
  const auto people = store_->list_people({});
  ASSERT_EQ(people->entries.size(), 1U);
  EXPECT_EQ(people->entries[0].pseudonym, caller_.pseudonym);
  EXPECT_EQ(people->entries[0].first_seen, kNow);
  EXPECT_EQ(people->entries[0].last_seen, kNow + Seconds{5});
}

TEST_F(MediaStore, RevocationFloorNeverGoesBack) {
  const Hash256 issuer = hash_of("issuer");
  EXPECT_FALSE(*store_->revocation_floor(issuer));
  const FloorRecord floor{.number = {0x01, 0x00}, .this_update = kNow};
  ASSERT_TRUE(succeeds(store_->raise_revocation_floor(issuer, floor)));
  EXPECT_EQ(**store_->revocation_floor(issuer), floor);
  EXPECT_TRUE(succeeds(store_->raise_revocation_floor(issuer, floor)));
  const auto raise = [&](Bytes number, Time time) {
    return store_->raise_revocation_floor(issuer, {.number = std::move(number), .this_update = time});
  };
  EXPECT_TRUE(fails_with(raise({0xff}, kNow + Seconds{9}), Fault::crl_rollback));
  EXPECT_TRUE(fails_with(raise({0x01, 0x00}, kNow - Seconds{1}), Fault::crl_rollback));
  EXPECT_EQ(**store_->revocation_floor(issuer), floor);
  EXPECT_TRUE(succeeds(raise(Bytes(20, 0xff), kNow)));
  EXPECT_TRUE(fails_with(raise(Bytes(21, 0xff), kNow), Fault::malformed));
  EXPECT_FALSE(*store_->revocation_floor(hash_of("another issuer")));
}

TEST_F(MediaStore, SchemaHasAVersion) { EXPECT_EQ(*store_->schema_version(), 3U); }

}  // namespace
}  // namespace usher::store
