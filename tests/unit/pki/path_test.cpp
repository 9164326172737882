#include <gtest/gtest.h>

#include <fmt/chrono.h>

#include "support/pki.h"

namespace usher::pki {
namespace {

using test::Authority;
using test::kDay;
using test::kNow;
using test::must;

/// root → sub → leaf, with complete CRLs at both levels.
struct Hierarchy {
  Authority root = Authority::root();
  Authority sub = root.sub();
  test::Identity leaf = sub.leaf(Role::client);
  Crl root_crl = root.crl();
  Crl sub_crl = sub.crl();

  [[nodiscard]] Chain chain() const { return {leaf.certificate, sub.certificate}; }
  [[nodiscard]] Result<VerifiedPeer> verify(std::vector<Crl> crls, Time at = kNow) const {
    return test::trust(Role::client, root, std::move(crls))->verify(chain(), at);
  }
};

Fault fault_of(const Result<VerifiedPeer>& result) { return result ? Fault::local : result.error().fault; }

TEST(Path, AGoodChainIsAcceptedAndToldInFull) {
  const Hierarchy h;
  const auto peer = h.verify({h.root_crl, h.sub_crl});
  ASSERT_TRUE(peer) << explain(peer.error());
  EXPECT_EQ(peer->certificate(), h.leaf.certificate);
  EXPECT_EQ(peer->anchor(), h.root.certificate);
  EXPECT_EQ(peer->path().size(), 3U);
  EXPECT_EQ(peer->role(), Role::client);
  EXPECT_EQ(peer->valid_until(), h.leaf.certificate.not_after());
}

TEST(Path, RsaIsAcceptedToo) {
  const Authority root = Authority::root();
  const auto leaf = root.leaf(Role::client, crypto::NewKey::rsa2048);
  EXPECT_TRUE(test::trust(Role::client, root, {root.crl()})->verify({{leaf.certificate}}, kNow));
}

TEST(Path, ExpiredIsRefused) {
  const Hierarchy h;
  const Time later = kNow + 101 * kDay;
  const Crl root_crl = h.root.crl(2, {}, {}, later - kDay, later + kDay);
  const Crl sub_crl = h.sub.crl(2, {}, {}, later - kDay, later + kDay);
  EXPECT_EQ(fault_of(h.verify({root_crl, sub_crl}, later)), Fault::certificate_expired);
}

/// If a clock is wrong, a certificate or a list looks wrong: the message shows the clock's time to its reader.
TEST(Path, WhatIsAMatterOfTimeNamesTheTimeThatItWasJudgedFor) {
  const Hierarchy h;
  const auto named = [&](Time at, Fault fault, bool new_lists = true) {
    const std::vector<Crl> lists = new_lists ? std::vector<Crl>{h.root.crl(2, {}, {}, at - kDay, at + kDay),
                                                                h.sub.crl(2, {}, {}, at - kDay, at + kDay)}
                                             : std::vector<Crl>{h.root_crl, h.sub_crl};
    const auto refused = h.verify(lists, at);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, fault);
    const std::string time = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", std::chrono::floor<Seconds>(at));
    EXPECT_NE(refused.error().about.find(time), std::string::npos) << refused.error().about;
    EXPECT_NE(explain(refused.error()).find("clock"), std::string::npos) << explain(refused.error());
  };
  named(kNow - 400 * kDay, Fault::certificate_not_yet_valid);
  named(kNow + 11 * kDay, Fault::crl_expired, false);
  named(kNow + 101 * kDay, Fault::certificate_expired);
}

TEST(Path, AnExpiredAuthorityIsRefused) {
  const Authority root = Authority::root();
  const Authority sub = root.sub("sub", test::around(kNow, 20, -1));
  const auto leaf = sub.leaf(Role::client);
  const auto peer =
      test::trust(Role::client, root, {root.crl(), sub.crl()})->verify({{leaf.certificate, sub.certificate}}, kNow);
  EXPECT_EQ(fault_of(peer), Fault::certificate_expired);
  EXPECT_NE(peer.error().about.find("authority 1"), std::string::npos) << peer.error().about;
}

TEST(Path, NotYetValidIsRefused) {
  const Hierarchy h;
  const Time earlier = kNow - 11 * kDay;
  const Crl root_crl = h.root.crl(1, {}, {}, earlier - kDay, earlier + kDay);
  const Crl sub_crl = h.sub.crl(1, {}, {}, earlier - kDay, earlier + kDay);
  EXPECT_EQ(fault_of(h.verify({root_crl, sub_crl}, earlier)), Fault::certificate_not_yet_valid);
}

TEST(Path, AForeignRootIsRefused) {
  const Hierarchy h;
  const Authority other = Authority::root();  // of the same name
  const auto peer = test::trust(Role::client, other, {other.crl(), h.sub_crl})->verify(h.chain(), kNow);
  EXPECT_EQ(fault_of(peer), Fault::untrusted);
}

TEST(Path, ARootThatThePeerSendsIsNotTrusted) {
  const Hierarchy h;
  const Authority other = Authority::root("another root");
  const Chain sent{h.leaf.certificate, h.sub.certificate, h.root.certificate};
  EXPECT_EQ(fault_of(test::trust(Role::client, other, {other.crl()})->verify(sent, kNow)), Fault::untrusted);
  // Sending the configured one is harmless.
  EXPECT_TRUE(test::trust(Role::client, h.root, {h.root_crl, h.sub_crl})->verify(sent, kNow));
}

TEST(Path, ASubAuthorityIsNoAnchor) {
  const Hierarchy h;
  EXPECT_EQ(TrustStore::make({.role = Role::client, .anchors = {h.sub.certificate}}).error().fault, Fault::bad_config);
  EXPECT_EQ(TrustStore::make({.role = Role::client}).error().fault, Fault::bad_config);
}

TEST(Path, AMissingIntermediateIsRefusedUnlessConfigured) {
  const Hierarchy h;
  TrustConfig config{.role = Role::client, .anchors = {h.root.certificate}, .crls = {h.root_crl, h.sub_crl}};
  EXPECT_EQ(fault_of(must(TrustStore::make(config))->verify({{h.leaf.certificate}}, kNow)), Fault::untrusted);
  config.intermediates = {h.sub.certificate};
  EXPECT_TRUE(must(TrustStore::make(config))->verify({{h.leaf.certificate}}, kNow));
}

TEST(Path, ALeafCannotIssue) {
  const Authority root = Authority::root();
  const auto leaf = root.leaf(Role::client);
  const auto key = test::new_key();
  EXPECT_EQ(issue_leaf({leaf.certificate, leaf.key}, {.name = {.common_name = "x"}, .validity = test::around(kNow)},
                       key.public_key(), test::randomness())
                .error()
                .fault,
            Fault::bad_key);
}

TEST(Path, PathLengthIsObeyed) {
  auto key = test::new_key();
  const auto certificate = must(issue_root(
      {.name = {.common_name = "r"}, .validity = test::around(kNow), .path_length = 0}, key, test::randomness()));
  const Authority root{certificate, std::move(key)};
  const Authority sub = root.sub("s", test::around(kNow));
  const auto leaf = sub.leaf(Role::client);
  const auto peer =
      test::trust(Role::client, root, {root.crl(), sub.crl()})->verify({{leaf.certificate, sub.certificate}}, kNow);
  EXPECT_EQ(fault_of(peer), Fault::bad_certificate);
}

TEST(Path, WrongRoleIsRefused) {
  const Hierarchy h;
  for (const Role role : kRoles) {
    if (role == Role::client) continue;
    const auto name = ServerName::own();
    EXPECT_EQ(fault_of(test::trust(role, h.root, {h.root_crl, h.sub_crl})->verify(h.chain(), kNow, &name)),
              Fault::wrong_role);
  }
}

TEST(Path, AServersNameIsRequiredAndChecked) {
  const Authority root = Authority::root();
  const auto server = root.leaf(Role::server);
  const auto store = test::trust(Role::server, root, {root.crl()});
  const auto right = must(ServerName::from_host("localhost"));
  const auto wrong = must(ServerName::from_host("media.example.org"));
  EXPECT_TRUE(store->verify({{server.certificate}}, kNow, &right));
  EXPECT_EQ(fault_of(store->verify({{server.certificate}}, kNow, &wrong)), Fault::wrong_name);
  EXPECT_EQ(fault_of(store->verify({{server.certificate}}, kNow)), Fault::wrong_name);
}

TEST(Path, FiveCertificatesAreRefused) {
  const Hierarchy h;
  const Chain five{h.leaf.certificate, h.sub.certificate, h.sub.certificate, h.sub.certificate, h.sub.certificate};
  EXPECT_EQ(fault_of(test::trust(Role::client, h.root, {h.root_crl, h.sub_crl})->verify(five, kNow)),
            Fault::bad_certificate);
  EXPECT_EQ(fault_of(test::trust(Role::client, h.root, {h.root_crl, h.sub_crl})->verify(Chain{}, kNow)),
            Fault::bad_certificate);
}

TEST(Path, ErrorsNameNoPerson) {
  const Authority root = Authority::root();
  const auto person =
      root.leaf({.role = Role::person, .name = {.common_name = "Ana Silva", .serial_number = "BI123456789"}});
  const auto peer =
      test::trust(Role::person, root, {root.crl(2, {person.certificate})})->verify({{person.certificate}}, kNow);
  ASSERT_EQ(fault_of(peer), Fault::revoked);
  EXPECT_EQ(explain(peer.error()).find("Ana"), std::string::npos);
  EXPECT_EQ(explain(peer.error()).find("123456789"), std::string::npos);
}

TEST(Revocation, ARevokedLeafIsRefused) {
  const Hierarchy h;
  EXPECT_EQ(fault_of(h.verify({h.root_crl, h.sub.crl(2, {h.leaf.certificate})})), Fault::revoked);
}

TEST(Revocation, ARevokedIntermediateIsRefused) {
  const Hierarchy h;
  EXPECT_EQ(fault_of(h.verify({h.root.crl(2, {h.sub.certificate}), h.sub_crl})), Fault::revoked);
}

TEST(Revocation, AMissingListIsRefusedAtEveryLevel) {
  const Hierarchy h;
  EXPECT_EQ(fault_of(h.verify({h.root_crl})), Fault::revocation_unknown);
  EXPECT_EQ(fault_of(h.verify({h.sub_crl})), Fault::revocation_unknown);
  EXPECT_EQ(fault_of(h.verify({})), Fault::revocation_unknown);
}

TEST(Revocation, ModesAskForLess) {
  const Hierarchy h;
  TrustConfig config{
      .role = Role::client, .anchors = {h.root.certificate}, .crls = {h.sub_crl}, .revocation = RevocationMode::leaf};
  EXPECT_TRUE(must(TrustStore::make(config))->verify(h.chain(), kNow));
  config.crls = {h.sub.crl(2, {h.leaf.certificate})};
  EXPECT_EQ(fault_of(must(TrustStore::make(config))->verify(h.chain(), kNow)), Fault::revoked);
  config.crls.clear();
  EXPECT_EQ(fault_of(must(TrustStore::make(config))->verify(h.chain(), kNow)), Fault::revocation_unknown);
  config.revocation = RevocationMode::none;
  EXPECT_TRUE(must(TrustStore::make(config))->verify(h.chain(), kNow));
}

TEST(Revocation, AnExpiredListIsRefused) {
  const Hierarchy h;
  EXPECT_EQ(fault_of(h.verify({h.root_crl, h.sub_crl}, kNow + 11 * kDay)), Fault::crl_expired);
}

TEST(Revocation, AListOfTheFutureIsRefused) {
  const Hierarchy h;
  const Crl future = h.sub.crl(2, {}, {}, kNow + kDay, kNow + 9 * kDay);
  EXPECT_EQ(fault_of(h.verify({h.root_crl, future})), Fault::revocation_unknown);
  // If there is also a list in force, it is used.
  EXPECT_TRUE(h.verify({h.root_crl, future, h.sub_crl}));
}

TEST(Revocation, AListSignedByAnotherIsRefused) {
  const Hierarchy h;
  const Authority forger = Authority::root("test sub");  // the sub-authority's name, another key
  EXPECT_EQ(fault_of(h.verify({h.root_crl, forger.crl(7)})), Fault::revocation_unknown);
}

TEST(Revocation, ADamagedListIsRefused) {
  const Hierarchy h;
  Bytes der = h.sub_crl.der();
  der.back() ^= 1;
  const auto damaged = Crl::from_der(der);
  ASSERT_TRUE(damaged);
  EXPECT_EQ(fault_of(h.verify({h.root_crl, *damaged})), Fault::revocation_unknown);
}

TEST(Revocation, OfTwoListsTheNewestCounts) {
  const Hierarchy h;
  const Crl newer = h.sub.crl(2, {h.leaf.certificate});
  EXPECT_EQ(fault_of(h.verify({h.root_crl, h.sub_crl, newer})), Fault::revoked);
  EXPECT_EQ(fault_of(h.verify({h.root_crl, newer, h.sub_crl})), Fault::revoked);
}

TEST(SignedAt, ExpiryIsJudgedThenAndRevocationNow) {
  const Authority root = Authority::root();
  const auto distributor = root.leaf(Role::distributor);
  const Time later = kNow + 300 * kDay;  // the certificate has expired by then
  const Crl clean = root.crl(5, {}, {}, later - kDay, later + kDay);
  const Crl revoking = root.crl(6, {distributor.certificate}, {}, later - kDay, later + kDay);
  const Chain chain{distributor.certificate};
  EXPECT_TRUE(test::trust(Role::distributor, root, {clean})->verify_signed_at(chain, kNow, later));
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {clean})->verify(chain, later)), Fault::certificate_expired);
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {revoking})->verify_signed_at(chain, kNow, later)),
            Fault::revoked);
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {root.crl()})->verify_signed_at(chain, kNow, later)),
            Fault::crl_expired);
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {clean})->verify_signed_at(chain, later, later)),
            Fault::certificate_expired);
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {clean})->verify_signed_at(chain, kNow - 20 * kDay, later)),
            Fault::certificate_not_yet_valid);
  EXPECT_EQ(fault_of(test::trust(Role::distributor, root, {root.crl()})->verify_signed_at(chain, kNow + kDay, kNow)),
            Fault::certificate_not_yet_valid);
}

TEST(SignedAt, AnotherRoleIsRefused) {
  const Authority root = Authority::root();
  const auto client = root.leaf(Role::client);
  EXPECT_EQ(
      fault_of(
          test::trust(Role::distributor, root, {root.crl()})->verify_signed_at({{client.certificate}}, kNow, kNow)),
      Fault::wrong_role);
}

TEST(Trust, AReloadThatRevokesIsSeenByVerifyAgain) {
  const Hierarchy h;
  const auto before = test::trust(Role::client, h.root, {h.root_crl, h.sub_crl});
  const auto after = test::trust(Role::client, h.root, {h.root_crl, h.sub.crl(2, {h.leaf.certificate})});
  const auto peer = must(before->verify(h.chain(), kNow));
  EXPECT_TRUE(before->verify_again(peer, kNow));
  EXPECT_EQ(after->verify_again(peer, kNow).error().fault, Fault::revoked);
  EXPECT_EQ(test::trust(Role::server, h.root, {h.root_crl})->verify_again(peer, kNow).error().fault, Fault::wrong_role);
}

}  // namespace
}  // namespace usher::pki
