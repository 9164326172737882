#include <gtest/gtest.h>

#include "base/encoding.h"
#include "support/odd.h"

namespace usher::pki {
namespace {

using test::Authority;
using test::must;

TEST(Certificate, WhatWasIssuedIsReadBack) {
  const Authority root = Authority::root();
  const auto leaf =
      root.leaf({.role = Role::server,
                 .name = {.common_name = "Olá",
                          .organisation = "Editora, Lda",
                          .country = "PT",
                          .serial_number = "BI123456789",
                          .given_name = "Ana",
                          .surname = "Silva"},
                 .dns_names = {"Media.Example.org", "*.example.net"},
                 .ip_addresses = {must(IpAddress::from_text("192.0.2.7")), must(IpAddress::from_text("2001:db8::7"))}});
  const Certificate& certificate = leaf.certificate;
  EXPECT_EQ(certificate.common_name(), "Olá");
  EXPECT_EQ(certificate.organisation(), "Editora, Lda");
  EXPECT_EQ(certificate.subject_field("serialNumber"), "BI123456789");
  EXPECT_EQ(certificate.subject_field("2.5.4.42"), "Ana");
  EXPECT_EQ(certificate.subject_field("SN"), "Silva");
  EXPECT_FALSE(certificate.subject_field("OU"));
  EXPECT_FALSE(certificate.subject_field("no such attribute"));
  EXPECT_EQ(certificate.issuer_field("CN"), "test root");
  EXPECT_EQ(certificate.dns_names(), (std::vector<std::string>{"media.example.org", "*.example.net"}));
  ASSERT_EQ(certificate.ip_addresses().size(), 2U);
  EXPECT_EQ(certificate.ip_addresses()[1].text(), "2001:db8::7");
  EXPECT_TRUE(certificate.has_eku(kOidServer));
  EXPECT_TRUE(certificate.has_eku(kOidServerAuth));
  EXPECT_FALSE(certificate.has_eku(kOidClient));
  EXPECT_FALSE(certificate.is_ca());
  EXPECT_TRUE(root.certificate.is_ca());
  EXPECT_EQ(certificate.key_fingerprint(), leaf.key.public_key().fingerprint());
  EXPECT_EQ(must(certificate.public_key()).spki(), leaf.key.public_key().spki());
  EXPECT_EQ(certificate.not_before(), test::kNow - 10 * test::kDay);
  EXPECT_LE(certificate.serial_hex().size(), 32U);
  EXPECT_GT(certificate.serial_hex().size(), 20U);
  EXPECT_NE(certificate.subject_text().find("CN=Olá"), std::string::npos);
}

TEST(Certificate, PemAndDerAreTheSame) {
  const Authority root = Authority::root();
  const auto leaf = root.leaf(Role::client);
  EXPECT_EQ(must(Certificate::from_pem(leaf.certificate.to_pem())), leaf.certificate);
  EXPECT_EQ(must(Certificate::from_der(leaf.certificate.der())), leaf.certificate);
  const Chain both{leaf.certificate, root.certificate};
  EXPECT_EQ(must(chain_from_pem(to_pem(both))), both);
}

TEST(Certificate, OfAnotherVersionThanThreeIsRefused) {
  Bytes der = Authority::root().leaf(Role::client).certificate.der();
  const Bytes version{0xa0, 0x03, 0x02, 0x01, 0x02};
  const auto at = std::ranges::search(der, version);
  ASSERT_FALSE(at.empty());
  EXPECT_TRUE(Certificate::from_der(der));
  for (const std::uint8_t other : Bytes{0, 1, 3, 4}) {
    at[4] = other;
    EXPECT_EQ(Certificate::from_der(der).error().fault, Fault::bad_certificate) << int{other};
  }
}

TEST(Certificate, AnAuthoritysIsKnownByEitherSign) {
  const Authority root = Authority::root();
  const auto flagged = test::odd_leaf(root, "critical,CA:TRUE", "critical,digitalSignature").certificate;
  const auto signing = test::odd_leaf(root, "", "critical,digitalSignature,keyCertSign").certificate;
  const auto plain = test::odd_leaf(root, "critical,CA:FALSE", "critical,digitalSignature").certificate;
  EXPECT_TRUE(flagged.is_ca() && flagged.has_ca_flag() && !flagged.may_certify());
  EXPECT_TRUE(signing.is_ca() && !signing.has_ca_flag() && !signing.may_certify());
  EXPECT_FALSE(plain.is_ca() || plain.has_ca_flag() || plain.may_certify());
  EXPECT_TRUE(root.certificate.is_ca() && root.certificate.has_ca_flag() && root.certificate.may_certify());
  const auto trust = test::trust(Role::client, root, {root.crl()});
  EXPECT_EQ(trust->verify({{flagged}}, test::kNow).error().fault, Fault::bad_certificate);
  EXPECT_EQ(trust->verify({{signing}}, test::kNow).error().fault, Fault::bad_certificate);
  EXPECT_TRUE(trust->verify({{plain}}, test::kNow));
}

TEST(Certificate, BytesAfterItAreRefused) {
  Bytes der = Authority::root().certificate.der();
  der.push_back(0);
  EXPECT_EQ(Certificate::from_der(der).error().fault, Fault::malformed);
}

TEST(Certificate, EveryTruncationIsRefused) {
  const Bytes der = Authority::root().certificate.der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(Certificate::from_der(View(der).first(size))) << size;
  }
}

TEST(Certificate, OneOf20KiBIsRefused) {
  const Authority root = Authority::root();
  std::vector<std::string> names;
  for (int i = 0; i < 1200; ++i) names.push_back("name-" + std::to_string(1000 + i) + ".example");
  const auto key = test::new_key();
  const LeafRequest request{
      .role = Role::server, .name = {.common_name = "big"}, .validity = test::around(test::kNow), .dns_names = names};
  const auto issued = issue_leaf(root.issuer(), request, key.public_key(), test::randomness());
  ASSERT_FALSE(issued);
  EXPECT_EQ(issued.error().fault, Fault::too_long);
  EXPECT_EQ(Certificate::from_der(Bytes(20 << 10, 0x30)).error().fault, Fault::too_long);
}

TEST(Certificate, AChainOfFiveIsRefused) {
  const Authority root = Authority::root();
  const Chain five(5, root.certificate);
  EXPECT_EQ(chain_from_pem(to_pem(five)).error().fault, Fault::too_long);
  const std::vector<View> ders(5, View(root.certificate.der()));
  EXPECT_EQ(chain_from_der(ders).error().fault, Fault::too_long);
  EXPECT_EQ(chain_from_der({}).error().fault, Fault::malformed);
}

TEST(Certificate, ADamagedOrForeignPemBlockIsRefused) {
  const Authority root = Authority::root();
  const std::string pem = root.certificate.to_pem();
  EXPECT_EQ(Certificate::from_pem("").error().fault, Fault::malformed);
  EXPECT_EQ(Certificate::from_pem(pem.substr(0, pem.size() - 30)).error().fault, Fault::malformed);
  // A good block does not hide the damaged one after it.
  EXPECT_EQ(bundle_from_pem(pem + pem.substr(0, pem.size() - 30)).error().fault, Fault::malformed);
  EXPECT_EQ(bundle_from_pem(pem + root.crl().to_pem()).error().fault, Fault::malformed);
  EXPECT_EQ(Certificate::from_pem(pem + pem).error().fault, Fault::too_long);
  EXPECT_TRUE(Certificate::from_pem("Subject: a person\n" + pem + "\ntext after\n"));
}

TEST(IpAddress, TextIsCanonical) {
  for (const auto& [in, out] :
       std::vector<std::pair<std::string, std::string>>{{"127.0.0.1", "127.0.0.1"},
                                                        {"::1", "::1"},
                                                        {"[::1]", "::1"},
                                                        {"::", "::"},
                                                        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                                        {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
                                                        {"fe80::", "fe80::"}}) {
    EXPECT_EQ(must(IpAddress::from_text(in)).text(), out);
  }
  for (const char* bad : {"", "1.2.3", "1.2.3.256", ":::", "localhost", "1.2.3.4/24", "fe80::1%lo"}) {
    EXPECT_FALSE(IpAddress::from_text(bad)) << bad;
  }
}

TEST(Role, EveryRoleIsRefusedInEveryOthersPlace) {
  const Authority root = Authority::root();
  for (const Role is : kRoles) {
    const auto leaf = root.leaf(is);
    for (const Role wanted : kRoles) {
      const auto checked = check_role(leaf.certificate, wanted, nullptr);
      if (is == wanted) {
        EXPECT_TRUE(checked);
      } else {
        ASSERT_FALSE(checked) << name_of(is) << " as " << name_of(wanted);
        EXPECT_EQ(checked.error().fault, Fault::wrong_role);
      }
    }
  }
}

TEST(Role, TwoRolesInOneCertificateAreNone) {
  const auto both = Authority::root().leaf({.role = Role::client, .more_eku = {std::string(kOidServer)}});
  EXPECT_EQ(check_role(both.certificate, Role::client, nullptr).error().fault, Fault::wrong_role);
  EXPECT_EQ(check_role(both.certificate, Role::server, nullptr).error().fault, Fault::wrong_role);
}

TEST(Role, MappingTakesWhatItNamesAndNothingElse) {
  const Authority root = Authority::root();
  const RoleMapping mapping{.any_eku = {std::string(kOidServerAuth)}};
  const auto foreign_server = root.leaf({.more_eku = {std::string(kOidServerAuth)}});
  const auto foreign_client = root.leaf({.more_eku = {std::string(kOidClientAuth)}});
  const auto without = root.leaf(LeafRequest{});
  EXPECT_EQ(check_role(foreign_server.certificate, Role::server, nullptr).error().fault, Fault::wrong_role);
  EXPECT_TRUE(check_role(foreign_server.certificate, Role::server, &mapping));
  EXPECT_EQ(check_role(foreign_client.certificate, Role::server, &mapping).error().fault, Fault::wrong_role);
  EXPECT_EQ(check_role(without.certificate, Role::server, &mapping).error().fault, Fault::wrong_role);
  const RoleMapping lenient{.accept_without_eku = true};
  EXPECT_TRUE(check_role(without.certificate, Role::person, &lenient));
  EXPECT_EQ(check_role(foreign_server.certificate, Role::person, &lenient).error().fault, Fault::wrong_role);
}

TEST(Role, MappingNeverTurnsOneOfOurRolesIntoAnother) {
  const RoleMapping mapping{.any_eku = {std::string(kOidClientAuth)}};
  const auto person = Authority::root().leaf(Role::person);  // has clientAuth too
  EXPECT_EQ(check_role(person.certificate, Role::client, &mapping).error().fault, Fault::wrong_role);
}

TEST(Role, AnAuthorityActsForNobodyElse) {
  const RoleMapping mapping{.accept_without_eku = true};
  EXPECT_EQ(check_role(Authority::root().certificate, Role::server, &mapping).error().fault, Fault::bad_certificate);
}

TEST(ServerName, NamesAreThoseOfTheAlternativeNames) {
  const auto leaf = Authority::root().leaf(
      {.role = Role::server,
       .name = {.common_name = "cn.example.org"},
       .dns_names = {"media.example.org", "*.example.net", "*.org"},
       .ip_addresses = {must(IpAddress::from_text("192.0.2.7")), must(IpAddress::from_text("2001:db8::7"))}});
  for (const char* good : {"media.example.org", "MEDIA.Example.ORG", "media.example.org.", "a.example.net", "192.0.2.7",
                           "2001:db8::7", "[2001:db8::7]", "2001:0DB8:0:0:0:0:0:7"}) {
    EXPECT_TRUE(must(ServerName::from_host(good)).check(leaf.certificate)) << good;
  }
  for (const char* other : {"cn.example.org", "example.org", "xmedia.example.org", "a.b.example.net", "example.net",
                            "other.org", "192.0.2.8", "2001:db8::8"}) {
    const auto checked = must(ServerName::from_host(other)).check(leaf.certificate);
    ASSERT_FALSE(checked) << other;
    EXPECT_EQ(checked.error().fault, Fault::wrong_name);
  }
  for (const char* bad : {"", ".", "a..b", "-a.org", "a b", "1.2.3", "256.1.1.1", "host:80", "*.example.org", "a/b"}) {
    EXPECT_EQ(ServerName::from_host(bad).error().fault, Fault::bad_usage) << bad;
  }
}

TEST(ServerName, APinnedKeyCountsInPlaceOfTheName) {
  const auto leaf = Authority::root().leaf(Role::server);
  EXPECT_TRUE(ServerName::pinned(leaf.key.public_key().fingerprint()).check(leaf.certificate));
  EXPECT_EQ(ServerName::pinned(Hash256{}).check(leaf.certificate).error().fault, Fault::wrong_name);
}

}  // namespace
}  // namespace usher::pki
