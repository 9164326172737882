// How an OCSP response is judged (identity.md §4.8): alone, and together with revocation lists in a path.
#include "pki/ocsp.h"

#include <gtest/gtest.h>

#include <map>

#include "pki/verify_cache.h"
#include "support/ocsp.h"

namespace usher::pki {
namespace {

using namespace usher::test;

class OcspTest : public ::testing::Test {
 protected:
  [[nodiscard]] Result<StatusAnswer> read(View response, Time now = kNow) const {
    return read_answer(response, leaf.certificate, root.certificate, now);
  }
  [[nodiscard]] Bytes says(const OcspSays& what) const {
    return ocsp_response(leaf.certificate, root.certificate, root.certificate, root.key, what);
  }
  [[nodiscard]] Bytes signed_by(const Identity& signer) const {
    return ocsp_response(leaf.certificate, root.certificate, signer.certificate, signer.key);
  }
  void refused(View response, Fault fault = Fault::revocation_unknown) const {
    const auto answer = read(response);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().fault, fault) << explain(answer.error());
  }
  Authority root = Authority::root();
  Identity leaf = root.leaf(Role::client);
};

TEST_F(OcspTest, TheIssuersWordCounts) {
  const auto good = must(read(says({})));
  EXPECT_FALSE(good.revoked);
  EXPECT_TRUE(good.in_force(kNow));
  EXPECT_FALSE(good.in_force(kNow + std::chrono::hours(24)));
  EXPECT_TRUE(must(read(says({.status = V_OCSP_CERTSTATUS_REVOKED}))).revoked);
  EXPECT_FALSE(must(read(says({.id_digest = EVP_sha256()}))).revoked);
}

TEST_F(OcspTest, SoDoesThatOfItsDelegate) { EXPECT_FALSE(must(read(signed_by(ocsp_delegate(root)))).revoked); }

TEST_F(OcspTest, NobodyElsesDoes) {
  const Authority stranger = Authority::root();  // of the same name
  refused(ocsp_response(leaf.certificate, root.certificate, stranger.certificate, stranger.key));
  refused(signed_by(ocsp_delegate(stranger)));
  refused(signed_by(leaf));                        // a response signed by its own subject
  refused(signed_by(root.leaf(Role::client)));     // certified for something else
  refused(signed_by(ocsp_delegate(root, false)));  // a delegate whose own status is unknown
  const Authority sub = root.sub();
  refused(ocsp_response(leaf.certificate, root.certificate, sub.certificate, sub.key));
  refused(signed_by(ocsp_delegate(sub)));  // certified by another authority
}

TEST_F(OcspTest, ADelegateWhoseTimeIsOverDoesNot) {
  refused(signed_by(ocsp_delegate(root, true, {.validity = {kNow - 20 * kDay, kNow - kDay}})));
  refused(signed_by(ocsp_delegate(root, true, {.validity = {kNow + kDay, kNow + 20 * kDay}})));
}

TEST_F(OcspTest, AnAnswerAboutAnotherCertificateIsNone) {
  const Identity other = root.leaf(Role::client);
  refused(ocsp_response(other.certificate, root.certificate, root.certificate, root.key));
  refused(says({.status = V_OCSP_CERTSTATUS_UNKNOWN}));
}

TEST_F(OcspTest, TimesAreLookedAt) {
  refused(says({.this_update = kNow + std::chrono::hours(1)}));
  refused(says({.next_update = kNow}), Fault::crl_expired);
  // A clock that is four minutes slow.
  const auto early = must(read(says({.this_update = kNow + std::chrono::minutes(4)})));
  EXPECT_TRUE(early.in_force(kNow));
  const auto endless = must(read(says({.this_update = kNow - std::chrono::minutes(10), .next_update = {}})));
  EXPECT_EQ(endless.next_update, kNow + std::chrono::minutes(50));
}

TEST_F(OcspTest, WeakAndStrangeOnesAreRefused) {
  refused(says({.digest = EVP_sha1()}));
  refused(says({.critical_extension = true}));
  Bytes flipped = says({});
  flipped.back() ^= 1;
  refused(flipped);
}

TEST_F(OcspTest, WhatIsNoAnswerIsRefused) {
  refused({}, Fault::malformed);
  refused(view_of("<html>Welcome!</html>"), Fault::malformed);
  Bytes longer = says({});
  longer.push_back(0);
  refused(longer, Fault::malformed);
  refused(Bytes(kMaxAnswer + 1), Fault::too_long);
  const crypto::Ossl<OCSP_RESPONSE, OCSP_RESPONSE_free> later(
      OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, nullptr));
  refused(crypto::der_of<i2d_OCSP_RESPONSE>(later.get()));
}

TEST_F(OcspTest, TheRequestNamesTheCertificate) {
  const Bytes der = must(status_request(leaf.certificate, root.certificate));
  const unsigned char* at = der.data();
  const crypto::Ossl<OCSP_REQUEST, OCSP_REQUEST_free> request(
      d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(der.size())));
  ASSERT_TRUE(request);
  ASSERT_EQ(OCSP_request_onereq_count(request.get()), 1);
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                    OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), 0)));
  EXPECT_EQ(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf.certificate.x509())), 0);
}

/// A path of root, sub and leaf, with answers that a test puts in.
class AnswersTest : public ::testing::Test {
 protected:
  [[nodiscard]] Fault verdict(const std::vector<Crl>& crls = {}, RevocationMode mode = RevocationMode::chain,
                              Time at = kNow) {
    asked_for.clear();
    store = must(TrustStore::make({.role = Role::client,
                                   .anchors = {root.certificate},
                                   .crls = crls,
                                   .revocation = mode,
                                   .missing =
                                       [&](const Chain& path) {
                                         asked_for = path;
                                         return false;
                                       },
                                   .answers =
                                       [&](const Hash256& one, const Hash256& issuer) {
                                         const auto found = answers.find({one, issuer});
                                         return found == answers.end() ? std::nullopt : std::optional(found->second);
                                       }}));
    const auto peer = store->verify(Chain{leaf.certificate, sub.certificate}, at);
    if (peer) until = peer->answers_until();
    return peer ? Fault{} : peer.error().fault;
  }
  void say(const Certificate& one, const Certificate& issuer, bool revoked, Time end = kNow + kDay) {
    answers[{one.fingerprint(), issuer.fingerprint()}] = {
        .revoked = revoked, .this_update = kNow - kDay, .next_update = end};
  }
  Authority root = Authority::root();
  Authority sub = root.sub();
  Identity leaf = sub.leaf(Role::client);
  std::map<std::pair<Hash256, Hash256>, StatusAnswer> answers;
  std::shared_ptr<const TrustStore> store;
  Chain asked_for;
  Time until{};
};

TEST_F(AnswersTest, StandInForListsThatAreNotThere) {
  EXPECT_EQ(verdict(), Fault::revocation_unknown);
  EXPECT_EQ(asked_for.size(), 3U);
  say(leaf.certificate, sub.certificate, false);
  EXPECT_EQ(verdict(), Fault::revocation_unknown);  // the sub-CA's status is still missing
  EXPECT_EQ(verdict({}, RevocationMode::leaf), Fault{});
  say(sub.certificate, root.certificate, false, kNow + 2 * kDay);
  EXPECT_EQ(verdict(), Fault{});
  EXPECT_EQ(until, kNow + kDay);
  EXPECT_EQ(verdict_holds_until(must(store->verify(Chain{leaf.certificate, sub.certificate}, kNow)), *store, kNow),
            kNow + kDay);
}

TEST_F(AnswersTest, AndListsAndAnswersMayBeMixed) {
  say(leaf.certificate, sub.certificate, false);
  EXPECT_EQ(verdict({root.crl()}), Fault{});
  say(sub.certificate, root.certificate, false);
  answers.erase({leaf.certificate.fingerprint(), sub.certificate.fingerprint()});
  EXPECT_EQ(verdict({sub.crl()}), Fault{});
}

TEST_F(AnswersTest, WhoeverSaysRevokedIsBelieved) {
  say(leaf.certificate, sub.certificate, false);
  say(sub.certificate, root.certificate, false);
  EXPECT_EQ(verdict({root.crl(), sub.crl(1, {leaf.certificate})}), Fault::revoked);
  EXPECT_EQ(verdict({root.crl(1, {sub.certificate}), sub.crl()}), Fault::revoked);
  EXPECT_EQ(verdict({root.crl(), sub.crl(5), sub.crl(6, {leaf.certificate}, 5)}), Fault::revoked);
  say(leaf.certificate, sub.certificate, true);
  EXPECT_EQ(verdict({root.crl(), sub.crl()}), Fault::revoked);
  say(leaf.certificate, sub.certificate, false);
  say(sub.certificate, root.certificate, true);
  EXPECT_EQ(verdict({root.crl(), sub.crl()}), Fault::revoked);
}

TEST_F(AnswersTest, ARevocationIsToldWithoutAnyListToo) {
  say(sub.certificate, root.certificate, false);
  say(leaf.certificate, sub.certificate, true);
  EXPECT_EQ(verdict(), Fault::revoked);
  EXPECT_EQ(verdict({}, RevocationMode::leaf), Fault::revoked);
}

TEST_F(AnswersTest, ARevocationOutlivesItsAnswerAndAGoodWordDoesNot) {
  say(sub.certificate, root.certificate, false);
  say(leaf.certificate, sub.certificate, false, kNow);
  EXPECT_EQ(verdict(), Fault::revocation_unknown);
  EXPECT_EQ(verdict({root.crl(), sub.crl()}), Fault{});
  say(leaf.certificate, sub.certificate, true, kNow);
  EXPECT_EQ(verdict({root.crl(), sub.crl()}), Fault::revoked);
}

TEST_F(AnswersTest, AnAnswerOfAnotherIssuerIsNone) {
  say(sub.certificate, root.certificate, false);
  say(leaf.certificate, root.certificate, false);
  EXPECT_EQ(verdict(), Fault::revocation_unknown);
}

TEST_F(AnswersTest, StandInForAListThatHasEndedAndForADeltaThatIsMissing) {
  say(sub.certificate, root.certificate, false);
  say(leaf.certificate, sub.certificate, false);
  const Crl ended = sub.crl(1, {}, {}, kNow - 2 * kDay, kNow - kDay);
  EXPECT_EQ(verdict({root.crl(), ended}), Fault{});
  EXPECT_EQ(verdict({root.crl(), sub.crl(5), sub.crl(7, {}, 6)}), Fault{});  // a delta without its base
  EXPECT_EQ(verdict({root.crl(5), root.crl(7, {}, 6), sub.crl()}), Fault{});
  answers.clear();
  EXPECT_EQ(verdict({root.crl(), ended}), Fault::crl_expired);
  EXPECT_EQ(verdict({root.crl(), sub.crl(5), sub.crl(7, {}, 6)}), Fault::revocation_unknown);
}

TEST_F(AnswersTest, AnAnswerThatEndsBetweenTwoLooksIsNone) {
  say(sub.certificate, root.certificate, false);
  int looks = 0;
  const auto trust = must(TrustStore::make(
      {.role = Role::client, .anchors = {root.certificate}, .answers = [&](const Hash256& one, const Hash256& issuer) {
         if (one != leaf.certificate.fingerprint()) return std::optional(answers.at({one, issuer}));
         ++looks;
         return std::optional(StatusAnswer{.this_update = kNow - kDay, .next_update = looks == 1 ? kNow + kDay : kNow});
       }}));
  const auto peer = trust->verify(Chain{leaf.certificate, sub.certificate}, kNow);
  ASSERT_FALSE(peer.has_value());
  EXPECT_EQ(peer.error().fault, Fault::revocation_unknown);
  EXPECT_EQ(looks, 2);
}

TEST_F(AnswersTest, WhoeverIsRevokedIsAskedAboutAgain) {
  say(sub.certificate, root.certificate, false);
  say(leaf.certificate, sub.certificate, true, kNow);
  EXPECT_EQ(verdict(), Fault::revoked);
  EXPECT_EQ(asked_for.size(), 3U);
}

TEST_F(AnswersTest, DoNotMakeAPathOfOneThatIsNone) {
  const Authority stranger = Authority::root();
  const Authority false_sub = stranger.sub();
  const Identity false_leaf = false_sub.leaf(Role::client);
  say(false_leaf.certificate, false_sub.certificate, false);
  say(false_sub.certificate, root.certificate, false);
  ASSERT_EQ(verdict(), Fault::revocation_unknown);
  EXPECT_EQ(store->verify(Chain{false_leaf.certificate, false_sub.certificate}, kNow).error().fault, Fault::untrusted);
}

}  // namespace
}  // namespace usher::pki
