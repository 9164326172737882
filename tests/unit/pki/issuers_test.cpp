// Authorities that a chain lacks (identity.md §11.7).
#include "pki/issuers.h"

#include <gtest/gtest.h>
#include <openssl/pkcs7.h>

#include "pki/certificate_urls.h"
#include "pki/x509.h"
#include "support/pki.h"

namespace usher::pki {
namespace {

using namespace usher::test;

Bytes pkcs7_of(const Chain& chain) {
  const crypto::Ossl<PKCS7, PKCS7_free> bag(PKCS7_new());
  PKCS7_set_type(bag.get(), NID_pkcs7_signed);
  PKCS7_content_new(bag.get(), NID_pkcs7_data);
  for (const Certificate& one : chain) PKCS7_add_certificate(bag.get(), one.x509());
  return crypto::der_of<i2d_PKCS7>(bag.get());
}

TEST(Issuers, AreReadFromDerPemAndPkcs7) {
  const Authority root = Authority::root();
  const Authority sub = root.sub();
  EXPECT_EQ(must(issuers_from_content(sub.certificate.der())), Chain{sub.certificate});
  EXPECT_EQ(must(issuers_from_content(view_of(sub.certificate.to_pem()))), Chain{sub.certificate});
  EXPECT_EQ(must(issuers_from_content(pkcs7_of({root.certificate, sub.certificate}))),
            (Chain{root.certificate, sub.certificate}));
}

TEST(Issuers, AreNotReadFromAnythingElse) {
  const Authority root = Authority::root();
  for (const Bytes& content : {Bytes{}, to_bytes(view_of("<html>")), to_bytes(view_of("0\x03\x02\x01\x01")),
                               pkcs7_of({}), pkcs7_of(Chain(9, root.certificate)), root.crl().der()}) {
    const auto read = issuers_from_content(content);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().fault, Fault::malformed);
  }
  EXPECT_EQ(issuers_from_content(Bytes(kMaxIssuersContent + 1)).error().fault, Fault::too_long);
}

TEST(Issuers, AreKnownByTheirSignature) {
  const Authority root = Authority::root();
  const Authority of_the_same_name = Authority::root();
  const Identity leaf = root.leaf(Role::client);
  EXPECT_TRUE(has_issued(root.certificate, leaf.certificate));
  EXPECT_FALSE(has_issued(of_the_same_name.certificate, leaf.certificate));
  EXPECT_FALSE(has_issued(leaf.certificate, leaf.certificate));
}

class LackingTest : public ::testing::Test {
 protected:
  [[nodiscard]] Result<VerifiedPeer> verify(const Chain& chain, IssuersOf issuers_of) const {
    return must(TrustStore::make({.role = Role::client,
                                  .anchors = {root.certificate},
                                  .crls = {root.crl(), upper.crl(), lower.crl()},
                                  .issuers_of = std::move(issuers_of)}))
        ->verify(chain, kNow);
  }
  Authority root = Authority::root();
  Authority upper = authority_of(root, "upper", 1);
  Authority lower = authority_of(upper, "lower", 0);
  Identity leaf = lower.leaf(Role::client);

  static Authority authority_of(const Authority& above, const std::string& name, int length) {
    crypto::PrivateKey key = new_key();
    auto certificate = must(issue_sub_ca(
        above.issuer(), {.name = {.common_name = name}, .validity = around(kNow, 900, 800), .path_length = length},
        key.public_key(), randomness()));
    return {std::move(certificate), std::move(key)};
  }
};

TEST_F(LackingTest, TheTopIsWhereTheWayUpEnds) {
  const Chain known{root.certificate};
  const Chain alone{leaf.certificate};
  EXPECT_EQ(top_of(alone, known), alone.data());
  const Chain two{leaf.certificate, lower.certificate};
  EXPECT_EQ(top_of(two, known), &two[1]);
  const Chain whole{leaf.certificate, upper.certificate, lower.certificate};
  EXPECT_EQ(top_of(whole, known), nullptr);
  EXPECT_EQ(top_of({}, known), nullptr);
}

TEST_F(LackingTest, WhatIsHadIsAddedAndNothingIsAskedForThatIsThere) {
  std::vector<Certificate> asked;
  const auto has = [&](const Certificate& below) -> FoundIssuers {
    asked.push_back(below);
    for (const Authority* one : {&upper, &lower}) {
      if (has_issued(one->certificate, below)) return {.certificates = {one->certificate}};
    }
    return {};
  };
  const auto peer = verify({leaf.certificate}, has);
  ASSERT_TRUE(peer.has_value()) << explain(peer.error());
  EXPECT_EQ(peer->path().size(), 4U);
  EXPECT_EQ(asked, (Chain{leaf.certificate, lower.certificate}));
  asked.clear();
  EXPECT_TRUE(verify({leaf.certificate, lower.certificate, upper.certificate}, has).has_value());
  EXPECT_TRUE(asked.empty());
}

TEST_F(LackingTest, WhatIsOnItsWayIsWaitedForAndWhatIsNotIsRefused) {
  const auto coming = verify({leaf.certificate}, [](const Certificate&) { return FoundIssuers{.coming = true}; });
  ASSERT_FALSE(coming.has_value());
  EXPECT_EQ(coming.error().fault, Fault::server_busy);
  const auto none = verify({leaf.certificate}, [](const Certificate&) { return FoundIssuers{}; });
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().fault, Fault::untrusted);
}

TEST_F(LackingTest, OfSeveralThatLeadsUpIsTaken) {
  // The same name and key, certified by another authority.
  const Authority stranger = Authority::root();
  const auto crossed = must(issue_sub_ca(
      stranger.issuer(), {.name = {.common_name = "upper"}, .validity = around(kNow, 900, 800), .path_length = 1},
      upper.key.public_key(), randomness()));
  const auto peer = verify({leaf.certificate, lower.certificate}, [&](const Certificate&) {
    return FoundIssuers{.certificates = {crossed, upper.certificate}};
  });
  ASSERT_TRUE(peer.has_value()) << explain(peer.error());
  EXPECT_EQ(peer->path()[2], upper.certificate);
}

TEST_F(LackingTest, ACircleEnds) {
  const Authority other = authority_of(lower, "upper", 0);
  const Authority back = authority_of(other, "lower", 0);
  const Chain circle{leaf.certificate, back.certificate, other.certificate};
  EXPECT_FALSE(verify(circle, [](const Certificate&) { return FoundIssuers{}; }).has_value());
}

TEST_F(LackingTest, WhatIsHadMakesNobodyTrusted) {
  const Authority stranger = Authority::root();
  const Authority false_sub = stranger.sub();
  const Identity false_leaf = false_sub.leaf(Role::client);
  const auto peer = verify({false_leaf.certificate}, [&](const Certificate& below) -> FoundIssuers {
    return {.certificates = {below == false_leaf.certificate ? false_sub.certificate : stranger.certificate}};
  });
  ASSERT_FALSE(peer.has_value());
  EXPECT_EQ(peer.error().fault, Fault::untrusted);
}

TEST(AccessUrls, AreThoseOfTheResponderAndOfTheIssuer) {
  const Authority root = Authority::root();
  LeafRequest request{.role = Role::client};
  request.urls = {.issuer = "http://a.example/root.crt", .responder = "http://a.example/ocsp"};
  const Identity leaf = root.leaf(request);
  EXPECT_EQ(issuer_urls(leaf.certificate), std::vector<std::string>{"http://a.example/root.crt"});
  EXPECT_EQ(responder_urls(leaf.certificate), std::vector<std::string>{"http://a.example/ocsp"});
  EXPECT_TRUE(issuer_urls(root.certificate).empty());
  EXPECT_TRUE(responder_urls(root.certificate).empty());
}

}  // namespace
}  // namespace usher::pki
