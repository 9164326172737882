#include <gtest/gtest.h>

#include "support/odd.h"

namespace usher::pki {
namespace {

using test::Authority;
using test::kDay;
using test::kNow;
using test::must;

/// A leaf directly under a root, so that one authority's lists decide.
struct Deltas {
  Authority root = Authority::root();
  test::Identity leaf = root.leaf(Role::client);
  test::Identity other = root.leaf(Role::client);
  Crl base = root.crl(5);

  /// "" when the leaf is accepted, else the fault's code.
  [[nodiscard]] std::string verdict(std::vector<Crl> crls, Time at = kNow) const {
    const auto peer = test::trust(Role::client, root, std::move(crls))->verify({{leaf.certificate}}, at);
    return peer ? "" : std::string(code_of(peer.error().fault));
  }
};

TEST(CrlNumber, IsOrderedAsANumber) {
  EXPECT_LT(CrlNumber(0), CrlNumber(1));
  EXPECT_LT(CrlNumber(255), CrlNumber(256));
  EXPECT_EQ(CrlNumber::from_bytes(Bytes{0, 0, 1, 0}), CrlNumber(256));
  EXPECT_EQ(CrlNumber(0).hex(), "0");
  EXPECT_EQ(CrlNumber(256).hex(), "0100");
  EXPECT_LT(CrlNumber(~std::uint64_t{0}), CrlNumber::from_bytes(Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Crl, WhatWasIssuedIsReadBack) {
  const Deltas d;
  const Crl delta = d.root.crl(6, {d.leaf.certificate}, 5);
  EXPECT_EQ(delta.number(), CrlNumber(6));
  EXPECT_EQ(delta.base_number(), CrlNumber(5));
  EXPECT_TRUE(delta.is_delta());
  EXPECT_FALSE(d.base.is_delta());
  EXPECT_EQ(delta.scope(), d.base.scope());
  EXPECT_NE(delta.scope(), Authority::root().crl().scope());  // the same name, another key
  EXPECT_EQ(delta.entries(), 1U);
  EXPECT_TRUE(delta.revokes(d.leaf.certificate));
  EXPECT_FALSE(delta.revokes(d.other.certificate));
  EXPECT_TRUE(delta.verify(d.root.certificate));
  EXPECT_FALSE(delta.verify(Authority::root().certificate));
  EXPECT_EQ(must(Crl::from_pem(delta.to_pem())).der(), delta.der());
  EXPECT_EQ(must(crls_from_file_content(view_of(d.base.to_pem() + delta.to_pem()))).size(), 2U);
  EXPECT_EQ(must(crls_from_file_content(delta.der())).size(), 1U);
}

TEST(Crl, DamagedInputIsRefused) {
  const Crl crl = Authority::root().crl();
  for (std::size_t size = 0; size < crl.der().size(); ++size) EXPECT_FALSE(Crl::from_der(View(crl.der()).first(size)));
  const std::string pem = crl.to_pem();
  EXPECT_FALSE(crls_from_file_content(view_of(pem + pem.substr(0, pem.size() - 30))));
  EXPECT_FALSE(crls_from_file_content(view_of(pem + Authority::root().certificate.to_pem())));
  EXPECT_FALSE(crls_from_file_content({}));
  EXPECT_FALSE(crls_from_file_content(view_of("nothing here\n")));
}

/// A leaf that points to a delta.
struct Pointing : Deltas {
  Pointing() {
    LeafRequest request{.role = Role::client};
    request.urls = {.crl = "http://a.example/1.crl", .freshest_crl = "http://a.example/1.delta.crl"};
    leaf = root.leaf(request);
  }
  [[nodiscard]] std::string verdict_with(const RevocationTolerance& tolerance, std::vector<Crl> crls,
                                         Time at = kNow) const {
    const auto store = must(TrustStore::make(
        {.role = Role::client, .anchors = {root.certificate}, .crls = std::move(crls), .tolerance = tolerance}));
    const auto peer = store->verify({{leaf.certificate}}, at);
    return peer ? "" : std::string(code_of(peer.error().fault));
  }
};

TEST(MissingDelta, IsARefusalWhereOneIsPointedTo) {
  const Pointing p;
  EXPECT_EQ(p.verdict({p.base}), "revocation-unknown");
  EXPECT_EQ(p.verdict({p.base, p.root.crl(6, {}, 5)}), "");
  EXPECT_EQ(p.verdict({p.base, p.root.crl(5, {}, 5)}), "");  // superseded, and a sign of life
  const Authority stranger = Authority::root();
  EXPECT_EQ(p.verdict({p.base, stranger.crl(6, {}, 5)}), "revocation-unknown");
  const Deltas without;
  EXPECT_EQ(without.verdict({without.base}), "");
}

TEST(Tolerance, PutsUpWithWhatItNamesAndHidesNoRevocation) {
  const Pointing p;
  const RevocationTolerance missing{.missing_delta = true};
  const RevocationTolerance unusable{.unusable_delta = true};
  const RevocationTolerance both{.missing_delta = true, .unusable_delta = true};
  EXPECT_EQ(p.verdict_with(missing, {p.base}), "");
  EXPECT_EQ(p.verdict_with(unusable, {p.base}), "revocation-unknown");
  const Crl of_newer_base = p.root.crl(9, {}, 8);
  EXPECT_EQ(p.verdict_with(missing, {p.base, of_newer_base}), "revocation-unknown");
  EXPECT_EQ(p.verdict_with(both, {p.base, of_newer_base}), "");
  EXPECT_EQ(p.verdict_with(both, {p.base, p.root.crl(9, {p.leaf.certificate}, 8)}), "revoked");
  EXPECT_EQ(p.verdict_with(both, {p.root.crl(5, {p.leaf.certificate})}), "revoked");
}

TEST(Tolerance, OfAnExpiredListIsForCompleteListsAlone) {
  const Pointing p;
  const Time late = p.base.next_update() + test::kDay;
  const RevocationTolerance expired{.missing_delta = true, .expired_list = true};
  EXPECT_EQ(p.verdict_with({.missing_delta = true}, {p.base}, late), "crl-expired");
  EXPECT_EQ(p.verdict_with(expired, {p.base}, late), "");
  EXPECT_EQ(p.verdict_with(expired, {p.root.crl(5, {p.leaf.certificate})}, late), "revoked");
  EXPECT_EQ(p.verdict_with(expired, {p.base, p.root.crl(6, {}, 5)}, late), "crl-expired");
}

TEST(Delta, AFreshCleanOneIsAccepted) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.base, d.root.crl(6, {d.other.certificate}, 5)}), "");
}

TEST(Delta, ARevocationInItCountsWithoutFreshestCrlAnywhere) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.base, d.root.crl(6, {d.leaf.certificate}, 5)}), "revoked");
}

TEST(Delta, TheNewestCountsInAnyOrder) {
  const Deltas d;
  const Crl older = d.root.crl(6, {}, 5);
  const Crl newer = d.root.crl(7, {d.leaf.certificate}, 5);
  EXPECT_EQ(d.verdict({d.base, older, newer}), "revoked");
  EXPECT_EQ(d.verdict({newer, older, d.base}), "revoked");
}

TEST(Delta, AnOlderOneIsNotUsedBesideANewerOne) {
  // The hold of number 6 was lifted in number 7.
  const Deltas d;
  EXPECT_EQ(d.verdict({d.base, d.root.crl(6, {d.leaf.certificate}, 5), d.root.crl(7, {}, 5)}), "");
}

TEST(Delta, IsNeverTakenForACompleteList) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.root.crl(6, {}, 5)}), "revocation-unknown");
  EXPECT_EQ(d.verdict({d.root.crl(6, {d.leaf.certificate}, 5)}), "revocation-unknown");
}

TEST(Delta, AnExpiredOneIsRefusedListedOrNot) {
  const Deltas d;
  const Crl clean = d.root.crl(6, {}, 5, kNow - 2 * kDay, kNow - kDay);
  const Crl revoking = d.root.crl(6, {d.leaf.certificate}, 5, kNow - 2 * kDay, kNow - kDay);
  EXPECT_EQ(d.verdict({d.base, clean}), "crl-expired");
  EXPECT_EQ(d.verdict({d.base, revoking}), "revoked");
}

TEST(Delta, OneOfANewerBaseIsRefused) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.base, d.root.crl(9, {}, 8)}), "revocation-unknown");
  EXPECT_EQ(d.verdict({d.base, d.root.crl(9, {d.leaf.certificate}, 8)}), "revoked");
}

TEST(Delta, AForgedOneIsRefused) {
  const Deltas d;
  Bytes der = d.root.crl(6, {}, 5).der();
  der.back() ^= 1;  // in the signature
  EXPECT_EQ(d.verdict({d.base, must(Crl::from_der(der))}), "revocation-unknown");
}

TEST(Delta, OneOfAnotherAuthorityIsNoneOfOurs) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.base, Authority::root("other root").crl(9, {d.leaf.certificate}, 5)}), "");
  // The same name and another key: its lists have another scope.
  EXPECT_EQ(d.verdict({d.base, Authority::root().crl(9, {d.leaf.certificate}, 5)}), "");
}

TEST(Delta, ACompleteListSupersedesIt) {
  const Deltas d;
  EXPECT_EQ(d.verdict({d.root.crl(7), d.root.crl(6, {}, 5, kNow - 2 * kDay, kNow - kDay)}), "");
  EXPECT_EQ(d.verdict({d.root.crl(6), d.root.crl(6, {d.leaf.certificate}, 5)}), "");  // §4.2: not above the base
}

TEST(Delta, DoesNotReviveAnExpiredBase) {
  const Deltas d;
  const Crl old_base = d.root.crl(5, {}, {}, kNow - 9 * kDay, kNow - kDay);
  EXPECT_EQ(d.verdict({old_base, d.root.crl(6, {}, 5)}), "crl-expired");
}

TEST(Delta, DoesNotReviveAnExpiredBaseWhereItIsPointedTo) {
  const Pointing p;
  const Crl old_base = p.root.crl(5, {}, {}, kNow - 9 * kDay, kNow - kDay);
  const Crl fresh = p.root.crl(6, {}, 5);
  EXPECT_EQ(p.verdict({old_base, fresh}), "crl-expired");
  EXPECT_EQ(p.verdict_with({.expired_list = true}, {old_base, fresh}), "");
  const Deltas d;
  const Crl old_plain = d.root.crl(5, {}, {}, kNow - 9 * kDay, kNow - kDay);
  const auto tolerant = must(TrustStore::make({.role = Role::client,
                                               .anchors = {d.root.certificate},
                                               .crls = {old_plain, d.root.crl(6, {}, 5)},
                                               .tolerance = {.expired_list = true}}));
  EXPECT_TRUE(tolerant->verify({{d.leaf.certificate}}, kNow));
}

/// Number `number` of a list of the authority's with one entry, a delta if `base` is set.
Crl list_with(const Authority& root, const Certificate& about, RevocationReason reason, std::uint64_t number,
              std::optional<std::uint64_t> base, Time until) {
  return must(issue_crl(root.issuer(), {.number = number,
                                        .base_number = base,
                                        .this_update = kNow - 2 * kDay,
                                        .next_update = until,
                                        .revoked = {{about.serial_hex(), kNow - 2 * kDay, reason}}}));
}

TEST(Delta, OneThatHasEndedTakesNoHoldBackWhereItIsLeftOut) {
  const Pointing p;
  const auto& leaf = p.leaf.certificate;
  const RevocationTolerance both{.missing_delta = true, .unusable_delta = true};
  const Crl hold = list_with(p.root, leaf, RevocationReason::certificate_hold, 5, {}, kNow + kDay);
  const auto lifted = [&](Time until) {
    return list_with(p.root, leaf, RevocationReason::remove_from_crl, 6, 5, until);
  };
  EXPECT_EQ(p.verdict_with(both, {hold, lifted(kNow + kDay)}), "");
  EXPECT_EQ(p.verdict_with(both, {hold, lifted(kNow - kDay)}), "revoked");
  EXPECT_EQ(p.verdict({hold, lifted(kNow - kDay)}), "revoked");
}

TEST(DeltaScope, IsDecidedByBasicConstraintsAlone) {
  const Authority root = Authority::root();
  const auto verdict = [&](const Certificate& leaf, const char* point) {
    const Crl base = test::with_scope(root, root.crl(5), point);
    const Crl delta = test::with_scope(root, root.crl(6, {leaf}, 5), point);
    // One list for the other kind of certificates, so that the complete lists cover all.
    const bool users = std::string(point).find("onlyuser") != std::string::npos;
    const Crl rest = test::with_scope(root, root.crl(5), users ? "critical,onlyCA:TRUE" : "critical,onlyuser:TRUE");
    const auto trust = must(PathTrust::make({root.certificate}, {}, {base, delta, rest}));
    const auto path = verify_path({{leaf}}, trust, {.at = kNow});
    return path ? "" : std::string(code_of(path.error().fault));
  };
  const auto flagged = test::odd_leaf(root, "critical,CA:TRUE", "critical,digitalSignature");
  const auto signing = test::odd_leaf(root, "", "critical,digitalSignature,keyCertSign");
  const auto plain = test::odd_leaf(root, "critical,CA:FALSE", "critical,digitalSignature");
  EXPECT_EQ(verdict(flagged.certificate, "critical,onlyCA:TRUE"), "revoked");
  EXPECT_EQ(verdict(flagged.certificate, "critical,onlyuser:TRUE"), "");
  EXPECT_EQ(verdict(signing.certificate, "critical,onlyuser:TRUE"), "revoked");
  EXPECT_EQ(verdict(signing.certificate, "critical,onlyCA:TRUE"), "");
  EXPECT_EQ(verdict(plain.certificate, "critical,onlyuser:TRUE"), "revoked");
  EXPECT_EQ(verdict(plain.certificate, "critical,onlyCA:TRUE"), "");
}

TEST(Crl, OfAnotherVersionIsRefused) {
  Bytes der = Authority::root().crl().der();
  const Bytes version{0x02, 0x01, 0x01};
  const auto at = std::ranges::search(der, version);
  ASSERT_FALSE(at.empty());
  for (const std::uint8_t other : Bytes{0, 2, 3}) {
    at[2] = other;
    EXPECT_EQ(Crl::from_der(der).error().fault, Fault::malformed) << int{other};
  }
}

TEST(Delta, RemoveFromCrlIsNoRevocation) {
  const Deltas d;
  const Crl delta =
      must(issue_crl(d.root.issuer(),
                     {.number = 6,
                      .base_number = 5,
                      .this_update = kNow - kDay,
                      .next_update = kNow + kDay,
                      .revoked = {{d.leaf.certificate.serial_hex(), kNow - kDay, RevocationReason::remove_from_crl}}}));
  EXPECT_EQ(d.verdict({d.base, delta}), "");
}

TEST(Delta, OfAnIntermediateCounts) {
  const Authority root = Authority::root();
  const Authority sub = root.sub();
  const auto leaf = sub.leaf(Role::client);
  const auto store = test::trust(Role::client, root, {root.crl(1), root.crl(2, {sub.certificate}, 1), sub.crl()});
  EXPECT_EQ(store->verify({{leaf.certificate, sub.certificate}}, kNow).error().fault, Fault::revoked);
}

Result<std::shared_ptr<const TrustStore>> reload(const Authority& root, std::vector<Crl> crls,
                                                 const RevocationFloor& floor) {
  return TrustStore::make({.role = Role::client, .anchors = {root.certificate}, .crls = std::move(crls)}, floor);
}

TEST(Rollback, AnOlderListIsRefused) {
  const Deltas d;
  const RevocationFloor floor = test::trust(Role::client, d.root, {d.root.crl(6)})->raised({});
  EXPECT_EQ(floor.complete.size(), 1U);
  EXPECT_EQ(reload(d.root, {d.base}, floor).error().fault, Fault::crl_rollback);
  EXPECT_TRUE(reload(d.root, {d.root.crl(6)}, floor));
  EXPECT_TRUE(reload(d.root, {d.root.crl(7)}, floor));
  EXPECT_TRUE(reload(d.root, {d.base, d.root.crl(6)}, floor));  // an old list in addition does no harm
}

TEST(Rollback, TheSameNumberWithAnOlderDateIsRefused) {
  const Deltas d;
  const RevocationFloor floor = test::trust(Role::client, d.root, {d.base})->raised({});
  EXPECT_EQ(reload(d.root, {d.root.crl(5, {}, {}, kNow - 3 * kDay)}, floor).error().fault, Fault::crl_rollback);
}

TEST(Rollback, ADeltaThatGoesAwayIsRefused) {
  const Deltas d;
  const Crl delta = d.root.crl(6, {d.leaf.certificate}, 5);
  const RevocationFloor floor = test::trust(Role::client, d.root, {d.base, delta})->raised({});
  EXPECT_EQ(reload(d.root, {d.base}, floor).error().fault, Fault::crl_rollback);
  EXPECT_TRUE(reload(d.root, {d.base, delta}, floor));
  EXPECT_TRUE(reload(d.root, {d.base, d.root.crl(7, {}, 5)}, floor));
  EXPECT_TRUE(reload(d.root, {d.root.crl(7)}, floor));
}

TEST(Rollback, AForgedListDoesNotRaiseTheFloor) {
  const Deltas d;
  Bytes der = d.root.crl(1000).der();
  der.back() ^= 1;
  const RevocationFloor floor = test::trust(Role::client, d.root, {must(Crl::from_der(der))})->raised({});
  EXPECT_EQ(floor, RevocationFloor{});
}

TEST(Rollback, TheFloorNeverSinks) {
  const Deltas d;
  RevocationFloor floor;
  floor.raise(d.root.crl(6));
  floor.raise(d.base);
  EXPECT_EQ(floor.complete.begin()->second.number, CrlNumber(6));
}

TEST(Rollback, TheFloorIsKeptAsText) {
  const Deltas d;
  RevocationFloor floor;
  floor.raise(d.base);
  floor.raise(d.root.crl(600, {}, 5));
  floor.raise(Authority::root().crl(0));
  EXPECT_EQ(must(RevocationFloor::from_text(floor.to_text())), floor);
  EXPECT_EQ(must(RevocationFloor::from_text("")), RevocationFloor{});
  const std::string good = floor.to_text();
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), "x" + good, std::string("complete 00 1 2\n"), std::string("\n")}) {
    EXPECT_EQ(RevocationFloor::from_text(bad).error().fault, Fault::malformed) << bad;
  }
}

}  // namespace
}  // namespace usher::pki
