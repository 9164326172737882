#include "pki/issue.h"

#include <algorithm>
#include <array>

#include <openssl/err.h>

#include "base/encoding.h"
#include "pki/crl_reduced.h"
#include "pki/extensions.h"
#include "pki/trust_store.h"

namespace usher::pki {
namespace {

using RevokedPtr = Ossl<X509_REVOKED, X509_REVOKED_free>;
using EnumeratedPtr = Ossl<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;

constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kSerialSize = 16;

constexpr std::array<std::pair<RevocationReason, std::string_view>, 9> kReasons{{
    {RevocationReason::unspecified, "unspecified"},
    {RevocationReason::key_compromise, "key-compromise"},
    {RevocationReason::ca_compromise, "ca-compromise"},
    {RevocationReason::affiliation_changed, "affiliation-changed"},
    {RevocationReason::superseded, "superseded"},
    {RevocationReason::cessation_of_operation, "cessation-of-operation"},
    {RevocationReason::certificate_hold, "certificate-hold"},
    {RevocationReason::remove_from_crl, "remove-from-crl"},
    {RevocationReason::privilege_withdrawn, "privilege-withdrawn"},
}};

Result<> check_url(const std::string& url) {
  const bool ok =
      url.empty() || ((url.starts_with("http://") || url.starts_with("https://")) && url.size() <= kMaxUrl &&
                      std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; }));
  if (!ok)
    return fail(Fault::malformed, "url", "it is no http URL without spaces",
                "Give a URL such as http://ca.example/root.crl.");
  return {};
}

Result<> check_urls(const CertificateUrls& urls) {
  USHER_CHECK(check_url(urls.crl));
  USHER_CHECK(check_url(urls.freshest_crl));
  USHER_CHECK(check_url(urls.issuer));
  return check_url(urls.responder);
}

bool add_part(X509_NAME* name, int nid, const std::string& text) {
  return text.empty() ||
         X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

/// Errors: malformed (empty, control characters, longer than X.520's bounds, which OpenSSL checks).
Result<NamePtr> make_name(const Name& name) {
  for (const std::string* part : {&name.common_name, &name.organisation, &name.organisational_unit, &name.country,
                                  &name.serial_number, &name.given_name, &name.surname}) {
    if (!is_clean_utf8(*part))
      return fail(Fault::malformed, "name", "it has control characters or is not UTF-8", "Give it in plain text.");
  }
  NamePtr out(X509_NAME_new());
  if (!out || name.common_name.empty() || !add_part(out.get(), NID_countryName, name.country) ||
      !add_part(out.get(), NID_organizationName, name.organisation) ||
      !add_part(out.get(), NID_organizationalUnitName, name.organisational_unit) ||
      !add_part(out.get(), NID_surname, name.surname) || !add_part(out.get(), NID_givenName, name.given_name) ||
      !add_part(out.get(), NID_serialNumber, name.serial_number) ||
      !add_part(out.get(), NID_commonName, name.common_name)) {
    ERR_clear_error();
    return fail(Fault::malformed, "name", "a part is missing, too long, or has characters not allowed in it",
                "Give another name: 1 to 64 characters.");
  }
  return out;
}

Result<> set_validity(X509* certificate, const Validity& validity) {
  const TimePtr from(ASN1_TIME_set(nullptr, unix_seconds(validity.not_before)));
  const TimePtr until(ASN1_TIME_set(nullptr, unix_seconds(validity.not_after)));
  if (validity.not_after <= validity.not_before)
    return fail(Fault::malformed, "validity", "it ends before it begins",
                "Give more days, or renew the authority first.");
  if (!from || !until || X509_set1_notBefore(certificate, from.get()) != 1 ||
      X509_set1_notAfter(certificate, until.get()) != 1) {
    return crypto::ossl_fail(Fault::malformed, "validity");
  }
  return {};
}

/// 127 random bits: positive, and 16 bytes of DER.
IntegerPtr fresh_serial(Random& random) {
  auto bytes = random.array<kSerialSize>();
  bytes[0] &= 0x7f;
  bytes[kSerialSize - 1] |= 1;  // never zero
  const crypto::BnPtr number(BN_bin2bn(bytes.data(), kSerialSize, nullptr));
  return IntegerPtr(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
}

/// Version, serial number, names, validity, key, subject key identifier.
Result<X509Ptr> start(const Name& subject, const X509_NAME* issuer, const Validity& validity, EVP_PKEY* key,
                      Random& random) {
  X509Ptr certificate(X509_new());
  const IntegerPtr serial = fresh_serial(random);
  USHER_TRY(const NamePtr name, make_name(subject));
  if (!certificate || !serial || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_serialNumber(certificate.get(), serial.get()) != 1 ||
      X509_set_subject_name(certificate.get(), name.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), issuer == nullptr ? name.get() : issuer) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1 || !add_subject_key_id(certificate.get())) {
    return crypto::ossl_fail(Fault::local, "issue");
  }
  USHER_CHECK(set_validity(certificate.get(), validity));
  return certificate;
}

Result<Certificate> sign(X509* certificate, const crypto::PrivateKey& key) {
  if (X509_sign(certificate, key.ossl(), EVP_sha256()) <= 0) return crypto::ossl_fail(Fault::local, "issue: sign");
  return Certificate::from_der(crypto::der_of<i2d_X509>(certificate));
}

Result<> check_issuer(const Issuer& issuer) {
  if (issuer.certificate.key_fingerprint() != issuer.key.public_key().fingerprint() ||
      !issuer.certificate.may_certify()) {
    return fail(Fault::bad_key, "issuer", "the key does not belong to the authority's certificate",
                "Restore the authority's directory from a backup.");
  }
  return {};
}

std::vector<std::string> usages_of(const LeafRequest& request) {
  std::vector<std::string> usages;
  if (request.role == Role::server) usages.emplace_back(kOidServerAuth);
  if (request.role == Role::client || request.role == Role::person) usages.emplace_back(kOidClientAuth);
  if (request.role) usages.emplace_back(oid_of(*request.role));
  usages.insert(usages.end(), request.more_eku.begin(), request.more_eku.end());
  return usages;
}

std::uint32_t key_usage_of(const LeafRequest& request, crypto::KeyKind kind) {
  if (request.role != Role::release_recipient) return KU_DIGITAL_SIGNATURE;
  return kind == crypto::KeyKind::rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
}

Result<std::vector<std::string>> checked_dns_names(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const bool wild = name.starts_with("*.");
    const auto host = ServerName::from_host(wild ? name.substr(2) : name);
    if (!host || IpAddress::from_text(name))
      return fail(Fault::malformed, "dns name", printable(name) + " is not a host name",
                  "Give a name such as music.example, or an address with --ip.");
    out.push_back((wild ? "*." : "") + host->text());
  }
  return out;
}

Result<> add_ca_extensions(X509* certificate, const CaRequest& request) {
  USHER_CHECK(check_urls(request.urls));
  if (!add_basic_constraints(certificate, true, request.path_length) ||
      !add_key_usage(certificate, KU_KEY_CERT_SIGN | KU_CRL_SIGN) || !add_urls(certificate, request.urls)) {
    return crypto::ossl_fail(Fault::local, "issue: extensions");
  }
  return {};
}

Result<RevokedPtr> make_entry(const RevokedEntry& entry) {
  // from_hex takes whole bytes only.
  USHER_TRY(const Bytes serial, from_hex(entry.serial_hex.size() % 2 == 0 ? entry.serial_hex : "0" + entry.serial_hex));
  const crypto::BnPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  const IntegerPtr integer(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  const TimePtr when(ASN1_TIME_set(nullptr, unix_seconds(entry.when)));
  RevokedPtr out(X509_REVOKED_new());
  if (!integer || !when || !out || X509_REVOKED_set_serialNumber(out.get(), integer.get()) != 1 ||
      X509_REVOKED_set_revocationDate(out.get(), when.get()) != 1) {
    return crypto::ossl_fail(Fault::local, "crl: entry");
  }
  if (entry.reason == RevocationReason::unspecified) return out;  // RFC 5280 §5.3.1: left out
  const EnumeratedPtr reason(ASN1_ENUMERATED_new());
  if (!reason || ASN1_ENUMERATED_set(reason.get(), static_cast<long>(entry.reason)) != 1 ||
      X509_REVOKED_add1_ext_i2d(out.get(), NID_crl_reason, reason.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return crypto::ossl_fail(Fault::local, "crl: reason");
  }
  return out;
}

bool add_number(X509_CRL* crl, int nid, std::uint64_t number, bool critical) {
  const IntegerPtr integer(ASN1_INTEGER_new());
  return integer && ASN1_INTEGER_set_uint64(integer.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(crl, nid, integer.get(), critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

}  // namespace

std::string_view name_of(RevocationReason reason) noexcept {
  const auto found = std::ranges::find(kReasons, reason, &std::pair<RevocationReason, std::string_view>::first);
  return found == kReasons.end() ? "unspecified" : found->second;
}

std::optional<RevocationReason> revocation_reason_of_name(std::string_view name) noexcept {
  const auto found = std::ranges::find(kReasons, name, &std::pair<RevocationReason, std::string_view>::second);
  if (found == kReasons.end()) return std::nullopt;
  return found->first;
}

Result<Certificate> issue_root(const CaRequest& request, const crypto::PrivateKey& key, Random& random) {
  USHER_TRY(const X509Ptr certificate, start(request.name, nullptr, request.validity, key.ossl(), random));
  USHER_CHECK(add_ca_extensions(certificate.get(), request));
  return sign(certificate.get(), key);
}

Result<Certificate> issue_sub_ca(const Issuer& issuer, const CaRequest& request, const crypto::PublicKey& subject,
                                 Random& random) {
  USHER_CHECK(check_issuer(issuer));
  X509* parent = issuer.certificate.x509();
  USHER_TRY(const X509Ptr certificate,
            start(request.name, X509_get_subject_name(parent), request.validity, subject.ossl(), random));
  USHER_CHECK(add_ca_extensions(certificate.get(), request));
  if (!add_authority_key_id(certificate.get(), parent)) return crypto::ossl_fail(Fault::local, "issue: extensions");
  return sign(certificate.get(), issuer.key);
}

Result<Certificate> issue_leaf(const Issuer& issuer, const LeafRequest& request, const crypto::PublicKey& subject,
                               Random& random) {
  USHER_CHECK(check_issuer(issuer));
  USHER_CHECK(check_urls(request.urls));
  USHER_TRY(const std::vector<std::string> dns, checked_dns_names(request.dns_names));
  X509* parent = issuer.certificate.x509();
  USHER_TRY(const X509Ptr certificate,
            start(request.name, X509_get_subject_name(parent), request.validity, subject.ossl(), random));
  if (!add_basic_constraints(certificate.get(), false, {}) ||
      !add_key_usage(certificate.get(), key_usage_of(request, subject.kind())) ||
      !add_extended_key_usage(certificate.get(), usages_of(request)) ||
      !add_authority_key_id(certificate.get(), parent) ||
      !add_alternative_names(certificate.get(), dns, request.ip_addresses) ||
      !add_urls(certificate.get(), request.urls)) {
    return crypto::ossl_fail(Fault::local, "issue: extensions");
  }
  return sign(certificate.get(), issuer.key);
}

Result<Crl> issue_crl(const Issuer& issuer, const CrlRequest& request) {
  USHER_CHECK(check_issuer(issuer));
  USHER_CHECK(check_url(request.freshest_crl));
  X509* parent = issuer.certificate.x509();
  const CrlPtr crl = new_crl();
  const TimePtr from(ASN1_TIME_set(nullptr, unix_seconds(request.this_update)));
  const TimePtr until(ASN1_TIME_set(nullptr, unix_seconds(request.next_update)));
  if (!crl || !from || !until || X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(parent)) != 1 ||
      X509_CRL_set1_lastUpdate(crl.get(), from.get()) != 1 || X509_CRL_set1_nextUpdate(crl.get(), until.get()) != 1 ||
      !add_authority_key_id(crl.get(), parent) || !add_number(crl.get(), NID_crl_number, request.number, false)) {
    return crypto::ossl_fail(Fault::local, "crl");
  }
  if (request.base_number && !add_number(crl.get(), NID_delta_crl, *request.base_number, true)) {
    return crypto::ossl_fail(Fault::local, "crl: delta");
  }
  if (!request.freshest_crl.empty() && !request.base_number && !add_freshest_crl(crl.get(), request.freshest_crl)) {
    return crypto::ossl_fail(Fault::local, "crl: freshest");
  }
  for (const RevokedEntry& entry : request.revoked) {
    USHER_TRY(RevokedPtr revoked, make_entry(entry));
    if (X509_CRL_add0_revoked(crl.get(), revoked.get()) != 1) return crypto::ossl_fail(Fault::local, "crl: entry");
    [[maybe_unused]] const auto* const taken = revoked.release();
  }
  X509_CRL_sort(crl.get());
  if (X509_CRL_sign(crl.get(), issuer.key.ossl(), EVP_sha256()) <= 0)
    return crypto::ossl_fail(Fault::local, "crl: sign");
  return Crl::from_ossl(crl.get());
}

}  // namespace usher::pki
