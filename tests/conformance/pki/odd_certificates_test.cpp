// Some thousand odd files of others (certificates, lists, answers of responders, PKCS #7 and #12, mails) through every
// parser of identity: each is read whole or refused by name, and what was read can be used.
#include <algorithm>

#include "base/encoding.h"
#include "pki/certificate_urls.h"
#include "pki/issuers.h"
#include "pki/ocsp.h"
#include "pki/path.h"
#include "support/conformance.h"

namespace usher::pki {
namespace {

namespace fs = std::filesystem;

constexpr Time kAt{std::chrono::seconds(1302825600)};  // 2011-04-15

/// How a certificate, or a file of some, is refused. bad_certificate is for those that are not of version 3
/// (identity.md §2.1).
constexpr std::initializer_list<Fault> kUnread{Fault::malformed, Fault::too_long, Fault::unsupported,
                                               Fault::bad_certificate};

struct File {
  std::string name;  // below the folder
  std::string content;
};

/// What lies below a folder of Debian's package, in the order of their names.
std::vector<File> files_below(const fs::path& below) {
  std::vector<File> out;
  for (const auto& entry : fs::recursive_directory_iterator(below)) {
    if (!entry.is_regular_file()) continue;
    out.push_back({fs::relative(entry.path(), below).string(), test::read_text(entry.path())});
  }
  std::ranges::sort(out, {}, &File::name);
  return out;
}

/// Either read, or refused with a fault that the caller can report.
template <class T>
void expect_clear(const Result<T>& result, std::initializer_list<Fault> faults, const std::string& name) {
  if (result) return;
  EXPECT_TRUE(std::ranges::find(faults, result.error().fault) != faults.end())
      << name << ": " << code_of(result.error().fault);
  EXPECT_FALSE(result.error().where.empty()) << name;
  EXPECT_TRUE(is_clean_utf8(explain(result.error()))) << name << ": " << printable(explain(result.error()));
}

Result<Certificate> certificate_of(const File& file) {
  if (file.content.find("-----BEGIN") != std::string::npos) return Certificate::from_pem(file.content);
  return Certificate::from_der(view_of(file.content));
}

/// Every call that the code makes on a certificate.
void use(const Certificate& certificate, const std::string& name) {
  const auto again = Certificate::from_pem(certificate.to_pem());
  ASSERT_TRUE(again) << name;
  EXPECT_EQ(*again, certificate) << name;
  expect_clear(certificate.public_key(), {Fault::bad_key, Fault::malformed}, name);
  for (const std::string& text : {certificate.subject_text(), certificate.issuer_text(), certificate.common_name(),
                                  certificate.organisation(), certificate.serial_hex()}) {
    EXPECT_TRUE(is_clean_utf8(text)) << name << ": " << printable(text);
  }
  for (const char* attribute : {"CN", "O", "OU", "serialNumber", "GN", "SN", "C"}) {
    for (const std::string& value : certificate.subject_fields(attribute)) EXPECT_TRUE(is_clean_utf8(value)) << name;
  }
  static_cast<void>(certificate.dns_names());
  static_cast<void>(certificate.ip_addresses());
  static_cast<void>(certificate.extended_key_usages());
  static_cast<void>(certificate.key_usage());
  static_cast<void>(certificate.is_ca());
  static_cast<void>(list_urls(certificate));
  static_cast<void>(responder_urls(certificate));
  static_cast<void>(issuer_urls(certificate));
}

/// Judged as a peer, by another root and by itself: it is accepted, or refused by name.
void judge(const Certificate& certificate, const Certificate& root, const std::string& name) {
  for (const Certificate* anchor : {&root, &certificate}) {
    const auto trust = PathTrust::make({*anchor}, {}, {});
    expect_clear(trust, {Fault::bad_config, Fault::bad_certificate, Fault::malformed}, name);
    if (!trust) continue;
    for (const RevocationMode mode : {RevocationMode::none, RevocationMode::chain}) {
      PathOptions options{.at = kAt};
      options.revocation = mode;
      expect_clear(verify_path(std::span(&certificate, 1), *trust, options),
                   {Fault::untrusted, Fault::bad_certificate, Fault::certificate_expired, Fault::malformed,
                    Fault::certificate_not_yet_valid, Fault::revocation_unknown, Fault::bad_key, Fault::unsupported},
                   name);
    }
  }
}

TEST(OddCertificates, AreReadOrRefusedByNameByEveryParser) {
  const fs::path folder = test::debian_x509_folder();
  USHER_NEEDS_DEBIAN_VECTORS("the odd certificates", folder);
  const auto root = certificate_of({"", test::read_text(folder / "PKITS_data/certs/TrustAnchorRootCertificate.crt")});
  const auto good = certificate_of({"", test::read_text(folder / "PKITS_data/certs/GoodCACert.crt")});
  ASSERT_TRUE(root && good);
  std::size_t certificates = 0;
  std::size_t lists = 0;
  for (const File& file : files_below(folder)) {
    const View content = view_of(file.content);
    const auto certificate = certificate_of(file);
    expect_clear(certificate, kUnread, file.name);
    if (certificate) {
      ++certificates;
      use(*certificate, file.name);
      judge(*certificate, *root, file.name);
    }
    const auto some = crls_from_file_content(content);
    expect_clear(some, kUnread, file.name);
    for (const Crl& crl : some.value_or(std::vector<Crl>{})) {
      ++lists;
      expect_clear(crl.verify(*root), {Fault::revocation_unknown}, file.name);
      static_cast<void>(crl.revokes(*good));
      static_cast<void>(list_urls(crl));
    }
    expect_clear(bundle_from_pem(file.content), kUnread, file.name);
    expect_clear(issuers_from_content(content), kUnread, file.name);
    expect_clear(read_answer(content, *good, *root, kAt),
                 {Fault::malformed, Fault::too_long, Fault::revocation_unknown, Fault::crl_expired}, file.name);
  }
  // Of the 1,743 files below x509 in Debian 12's package.
  RecordProperty("certificates", static_cast<int>(certificates));
  RecordProperty("lists", static_cast<int>(lists));
  EXPECT_GE(certificates, 490U);
  EXPECT_GE(lists, 190U);
}

TEST(OddCertificates, OfNistAreAllReadAndSoAreTheirLists) {
  const fs::path folder = test::debian_x509_folder() / "PKITS_data";
  USHER_NEEDS_DEBIAN_VECTORS("PKITS", folder);
  const auto certificates = files_below(folder / "certs");
  const auto lists = files_below(folder / "crls");
  EXPECT_EQ(certificates.size(), 405U);
  EXPECT_EQ(lists.size(), 173U);
  for (const File& file : certificates) EXPECT_TRUE(certificate_of(file)) << file.name;
  for (const File& file : lists) {
    const auto read = crls_from_file_content(view_of(file.content));
    // Its signature is not a whole number of bytes.
    EXPECT_EQ(read.has_value(), file.name != "BadCRLSignatureCACRL.crl") << file.name;
  }
}

TEST(OddCertificates, ThatAreNoneAreRefused) {
  const fs::path folder = test::debian_x509_folder();
  USHER_NEEDS_DEBIAN_VECTORS("the odd certificates", folder);
  for (const char* name :
       {"custom/crl_all_reasons.pem", "custom/ca/ca_key.pem", "requests/rsa_sha256.pem", "cryptography.io.chain.pem"}) {
    ASSERT_TRUE(fs::exists(folder / name)) << name;
    EXPECT_FALSE(certificate_of({name, test::read_text(folder / name)})) << name;
  }
  for (const char* name : {"custom/crl_invalid_time.der", "v1_cert.pem"}) {
    ASSERT_TRUE(fs::exists(folder / name)) << name;
    EXPECT_FALSE(crls_from_file_content(view_of(test::read_text(folder / name)))) << name;
  }
}

}  // namespace
}  // namespace usher::pki
