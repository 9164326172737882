// Cached verdicts (verify_cache.h): a verdict is never kept longer than a new verification would give the same verdict.
#include "pki/verify_cache.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "support/pki.h"

namespace usher::pki {
namespace {

using namespace usher::test;

class VerifyCacheTest : public ::testing::Test {
 protected:
  Result<VerifyCache::PeerPtr> ask(Time now = kNow) {
    return cache.verify(
        store, crypto::sha256(client.certificate.der()),
        [&]() -> Result<Chain> {
          ++parsed;
          return Chain{client.certificate};
        },
        now);
  }
  Authority root = Authority::root();
  Identity client = root.leaf(Role::client);
  VerifyCache::TrustPtr store = trust(Role::client, root, {root.crl()});
  VerifyCache cache{2};
  int parsed = 0;
};

TEST_F(VerifyCacheTest, AChainIsVerifiedOnce) {
  const auto first = ask();
  const auto second = ask();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(parsed, 1);
}

TEST_F(VerifyCacheTest, AnotherTrustForgetsEverything) {
  ASSERT_TRUE(ask());
  store = trust(Role::client, root, {root.crl(2, {client.certificate})});
  const auto again = ask();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().fault, Fault::revoked);
}

TEST_F(VerifyCacheTest, ARefusalIsNotKept) {
  const auto revoking = trust(Role::client, root, {root.crl(2, {client.certificate})});
  const auto good = std::exchange(store, revoking);
  EXPECT_FALSE(ask());
  EXPECT_FALSE(ask());
  EXPECT_EQ(parsed, 2);
  store = good;
  EXPECT_TRUE(ask());
}

TEST_F(VerifyCacheTest, EndsWithTheRevocationList) {
  ASSERT_TRUE(ask());
  const auto later = ask(kNow + 11 * kDay);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().fault, Fault::crl_expired);
}

TEST_F(VerifyCacheTest, EndsWithARevocationListThatWasFetched) {
  store = must(TrustStore::make({.role = Role::client, .anchors = {root.certificate}, .fetched = {root.crl()}}));
  ASSERT_TRUE(ask());
  const auto later = ask(kNow + 11 * kDay);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().fault, Fault::crl_expired);
}

TEST_F(VerifyCacheTest, EndsWithTheCertificate) {
  store =
      must(TrustStore::make({.role = Role::client, .anchors = {root.certificate}, .revocation = RevocationMode::none}));
  ASSERT_TRUE(ask());
  EXPECT_TRUE(ask(kNow + 99 * kDay));
  EXPECT_EQ(parsed, 1);
  const auto later = ask(kNow + 101 * kDay);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().fault, Fault::certificate_expired);
}

TEST_F(VerifyCacheTest, AListThatComesIntoForceIsLookedAt) {
  store =
      trust(Role::client, root, {root.crl(1), root.crl(2, {client.certificate}, {}, kNow + kDay, kNow + 10 * kDay)});
  ASSERT_TRUE(ask());
  const auto later = ask(kNow + 2 * kDay);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().fault, Fault::revoked);
}

TEST_F(VerifyCacheTest, AClockThatGoesBackIsNoticed) {
  ASSERT_TRUE(ask());
  EXPECT_FALSE(ask(kNow - 20 * kDay));
}

TEST_F(VerifyCacheTest, IsBounded) {
  ASSERT_TRUE(ask());
  const auto mine = client;
  for (int i = 0; i < 2; ++i) {
    client = root.leaf(Role::client);
    ASSERT_TRUE(ask());
  }
  client = mine;
  ASSERT_TRUE(ask());
  EXPECT_EQ(parsed, 4);
}

TEST(SubjectFields, AllValuesOfAnAttributeInTheirOrder) {
  const Authority root = Authority::root();
  LeafRequest request{.role = Role::client};
  request.name.common_name = "kitchen";
  const Identity client = root.leaf(request);
  EXPECT_EQ(client.certificate.subject_fields("CN"), std::vector<std::string>{"kitchen"});
  EXPECT_TRUE(client.certificate.subject_fields("OU").empty());
  EXPECT_TRUE(client.certificate.subject_fields("no such thing").empty());
  EXPECT_TRUE(is_attribute("CN"));
  EXPECT_TRUE(is_attribute("2.5.4.3"));
  EXPECT_FALSE(is_attribute("no such thing"));
}

}  // namespace
}  // namespace usher::pki
