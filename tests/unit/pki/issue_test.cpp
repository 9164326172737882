#include <gtest/gtest.h>

#include <set>

#include "support/pki.h"

namespace usher::pki {
namespace {

using test::Authority;
using test::kDay;
using test::kNow;

Fault fault_of(const Result<Certificate>& result) { return result ? Fault::local : result.error().fault; }

TEST(Issue, NamesThatCannotBeAreRefused) {
  const Authority root = Authority::root();
  const auto key = test::new_key();
  const auto issue = [&](Name name) {
    return fault_of(issue_leaf(root.issuer(), {.name = std::move(name), .validity = test::around(kNow)},
                               key.public_key(), test::randomness()));
  };
  EXPECT_EQ(issue({}), Fault::malformed);
  EXPECT_EQ(issue({.common_name = "two\nlines"}), Fault::malformed);
  EXPECT_EQ(issue({.common_name = std::string(65, 'x')}), Fault::malformed);
  EXPECT_EQ(issue({.common_name = "x", .country = "Portugal"}), Fault::malformed);
  EXPECT_EQ(issue({.common_name = "\xff"}), Fault::malformed);
}

TEST(Issue, WrongHostNamesAndUrlsAreRefused) {
  const Authority root = Authority::root();
  const auto key = test::new_key();
  LeafRequest request{.role = Role::server, .name = {.common_name = "x"}, .validity = test::around(kNow)};
  for (const char* bad : {"a b", "a..b", "*", "*.*.org", "192.0.2.1", "x/y"}) {
    request.dns_names = {bad};
    EXPECT_EQ(fault_of(issue_leaf(root.issuer(), request, key.public_key(), test::randomness())), Fault::malformed)
        << bad;
  }
  request.dns_names = {"good.example"};
  request.urls.crl = "file:///etc/passwd";
  EXPECT_EQ(fault_of(issue_leaf(root.issuer(), request, key.public_key(), test::randomness())), Fault::malformed);
}

TEST(Issue, AValidityThatEndsFirstIsRefused) {
  const Authority root = Authority::root();
  const auto key = test::new_key();
  EXPECT_EQ(fault_of(issue_leaf(root.issuer(), {.name = {.common_name = "x"}, .validity = {kNow, kNow - kDay}},
                                key.public_key(), test::randomness())),
            Fault::malformed);
}

TEST(Issue, AKeyThatIsNotTheAuthoritysIsRefused) {
  const Authority root = Authority::root();
  const auto key = test::new_key();
  EXPECT_EQ(fault_of(issue_leaf({root.certificate, key}, {.name = {.common_name = "x"}, .validity = test::around(kNow)},
                                key.public_key(), test::randomness())),
            Fault::bad_key);
}

TEST(Issue, SerialNumbersDiffer) {
  const Authority root = Authority::root();
  const auto key = test::new_key();
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    seen.insert(
        root.certify({.name = {.common_name = "x"}, .validity = test::around(kNow)}, key.public_key()).serial_hex());
  }
  EXPECT_EQ(seen.size(), 50U);
}

TEST(Issue, ARecipientsKeyOpensAndDoesNotSign) {
  const Authority root = Authority::root();
  const auto ec = root.leaf(Role::release_recipient);
  const auto rsa = root.leaf(Role::release_recipient, crypto::NewKey::rsa2048);
  const auto store = test::trust(Role::release_recipient, root, {root.crl()});
  EXPECT_TRUE(store->verify({{ec.certificate}}, kNow));
  EXPECT_TRUE(store->verify({{rsa.certificate}}, kNow));
  EXPECT_EQ(ec.certificate.key_usage() & 0x80U, 0U);      // digitalSignature
  EXPECT_EQ(rsa.certificate.key_usage() & 0x20U, 0x20U);  // keyEncipherment
}

TEST(Issue, ACitizensCertificateLooksLikeTheRealOne) {
  const Authority root = Authority::root();
  const Authority sub = root.sub("EC de Autenticação do Cartão de Cidadão 0001 (test)");
  const auto card = sub.leaf({.name = {.common_name = "Ana Silva",
                                       .organisation = "Cartão de Cidadão",
                                       .country = "PT",
                                       .serial_number = "BI123456789"},
                              .more_eku = {std::string(kOidClientAuth)}});
  EXPECT_EQ(card.certificate.subject_field("serialNumber"), "BI123456789");
  EXPECT_EQ(card.certificate.organisation(), "Cartão de Cidadão");
  TrustConfig config{.role = Role::person, .anchors = {root.certificate}, .crls = {root.crl(), sub.crl()}};
  const Chain chain{card.certificate, sub.certificate};
  EXPECT_EQ(test::must(TrustStore::make(config))->verify(chain, kNow).error().fault, Fault::wrong_role);
  config.mapping = RoleMapping{.any_eku = {std::string(kOidClientAuth)}};
  EXPECT_TRUE(test::must(TrustStore::make(config))->verify(chain, kNow));
}

}  // namespace
}  // namespace usher::pki
