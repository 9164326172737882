// What the profiles take and what they refuse.
#include "person/profile.h"

#include <gtest/gtest.h>

#include "shim/soft_card.h"

namespace usher::person {
namespace {

using test::must;

constexpr Time kNow{std::chrono::seconds(1'900'000'000)};

class ProfileTest : public testing::Test {
 protected:
  Result<PersonId> identify(const Profile& profile, const pki::LeafRequest& request) {
    const pki::Chain chain = hierarchy.certify(key.public_key(), request);
    auto peer = hierarchy.trust(profile)->verify(chain, kNow);
    if (!peer) return std::unexpected(std::move(peer).error());
    return profile.identify(*peer);
  }
  Fault fault(const Profile& profile, const pki::LeafRequest& request) {
    const auto person = identify(profile, request);
    EXPECT_FALSE(person);
    return person ? Fault::local : person.error().fault;
  }

  test::CardHierarchy hierarchy{kNow};
  crypto::PrivateKey key = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  pki::LeafRequest citizen = hierarchy.citizen();
};

TEST_F(ProfileTest, ACitizenIsTheDigitsOfTheCivilNumber) {
  const auto person = identify(citizen_card_profile(), citizen);
  ASSERT_TRUE(person) << explain(person.error());
  EXPECT_EQ(person->subject_id, "123456789");
  EXPECT_EQ(person->display_name, "Ana Maria Silva");
}

TEST_F(ProfileTest, ACivilNumberOfAnotherFormIsRefusedAndNotRepeated) {
  for (const char* number : {"123456789", "BI12345", "BI1234567890", "BI12345678X", "bi123456789", "BI 12345678", ""}) {
    citizen.name.serial_number = number;
    const auto person = identify(citizen_card_profile(), citizen);
    ASSERT_FALSE(person) << number;
    EXPECT_EQ(person.error().fault, Fault::bad_certificate) << number;
    if (*number != '\0') {
      EXPECT_EQ(explain(person.error()).find(number), std::string::npos);
    }
  }
}

TEST_F(ProfileTest, ACitizensOrganisationIsLookedAt) {
  citizen.name.organisation = "Another organisation";
  EXPECT_EQ(fault(citizen_card_profile(), citizen), Fault::bad_certificate);
  citizen.name.organisation.clear();
  EXPECT_EQ(fault(citizen_card_profile(), citizen), Fault::bad_certificate);
}

TEST_F(ProfileTest, AnIssuersOrganisationIsLookedAtWhereItIsConfigured) {
  Profile profile = citizen_card_profile();
  profile.issuer_organisations = {"Test Registry"};
  EXPECT_TRUE(identify(profile, citizen));
  profile.issuer_organisations = {"Another registry"};
  EXPECT_EQ(fault(profile, citizen), Fault::bad_certificate);
}

TEST_F(ProfileTest, AnOrganisationIsNoTrust) {
  test::CardHierarchy forged(kNow);
  const pki::Chain chain = forged.certify(key.public_key(), forged.citizen());
  const auto peer = hierarchy.trust(citizen_card_profile())->verify(chain, kNow);
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().fault, Fault::untrusted);
}

TEST_F(ProfileTest, GenericTakesPersonsOnly) {
  const Profile profile = generic_profile();
  EXPECT_EQ(fault(profile, citizen), Fault::wrong_role);
  citizen.more_eku.clear();
  EXPECT_EQ(fault(profile, citizen), Fault::wrong_role);
  citizen.role = pki::Role::person;
  const auto person = identify(profile, citizen);
  ASSERT_TRUE(person) << explain(person.error());
  EXPECT_EQ(person->subject_id, "BI123456789");
}

TEST_F(ProfileTest, GenericTakesTheFieldThatIsConfigured) {
  citizen.role = pki::Role::person;
  citizen.more_eku.clear();
  const auto person = identify(generic_profile("CN"), citizen);
  ASSERT_TRUE(person);
  EXPECT_EQ(person->subject_id, "Ana Maria Silva");
  EXPECT_EQ(fault(generic_profile("emailAddress"), citizen), Fault::bad_certificate);
}

TEST(Profiles, AreFoundByName) {
  EXPECT_EQ(must(profile_of_name("cartao-de-cidadao")).labels.certificate, "CITIZEN AUTHENTICATION CERTIFICATE");
  EXPECT_TRUE(must(profile_of_name("generic")).require_person_eku);
  EXPECT_EQ(profile_of_name("passport").error().fault, Fault::bad_config);
}

}  // namespace
}  // namespace usher::person
