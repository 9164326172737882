#include "pki/certificate.h"

#include <algorithm>
#include <array>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "pki/pem.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

constexpr std::size_t kMaxBundle = 256;         // certificates
constexpr std::size_t kPemOverhead = 64 << 10;  // bytes of text around the blocks, as openssl x509 -text writes
constexpr std::size_t kMaxNameValue = 1024;     // bytes

/// The text of entry `at`; nullopt if it is not clean or too long.
std::optional<std::string> text_of_entry(const X509_NAME* name, int at) {
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  if (text.size() > kMaxNameValue || !is_clean_utf8(text)) return std::nullopt;
  return text;
}

ObjectPtr attribute_of(std::string_view name) {
  ObjectPtr object(OBJ_txt2obj(std::string(name).c_str(), 0));
  if (!object) ERR_clear_error();
  return object;
}

std::optional<std::string> field_of(const X509_NAME* name, std::string_view attribute) {
  const ObjectPtr object = attribute_of(attribute);
  const int at = object ? X509_NAME_get_index_by_OBJ(name, object.get(), -1) : -1;
  if (at < 0) return std::nullopt;
  return text_of_entry(name, at);
}

GeneralNamesPtr alternative_names(const X509* certificate) {
  return GeneralNamesPtr(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

}  // namespace

struct Certificate::Parsed {
  X509Ptr x509;
  Bytes der;
  Hash256 fingerprint{};
  Hash256 key_fingerprint{};
  std::optional<crypto::PublicKey> key;
  Time not_before{};
  Time not_after{};
};

Result<IpAddress> IpAddress::from_text(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const OctetsPtr octets(text.size() > 64 ? nullptr : a2i_IPADDRESS(std::string(text).c_str()));
  if (!octets) return crypto::ossl_fail(Fault::malformed, "ip address");
  const unsigned char* data = ASN1_STRING_get0_data(octets.get());
  return IpAddress{Bytes(data, data + ASN1_STRING_length(octets.get()))};
}

std::string IpAddress::text() const {
  std::string out;
  if (bytes.size() == 4) {
    for (const std::uint8_t part : bytes) out.append(out.empty() ? "" : ".").append(std::to_string(part));
    return out;
  }
  if (bytes.size() != 16) return out;
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  // RFC 5952 §4.2: the longest run of zeros; of equally long runs the first; never a single group.
  std::size_t run_at = 8;
  std::size_t run_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > run_size) {
      run_at = i;
      run_size = end - i;
    }
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == run_at) {
      out.append("::");
      i += run_size;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    char group[8];
    const int size = std::snprintf(group, sizeof group, "%x", groups[i]);
    out.append(group, static_cast<std::size_t>(size));
    ++i;
  }
  return out;
}

Result<Certificate> Certificate::from_der(View der) {
  if (der.size() > kMaxCertificate) return fail(Fault::too_long, "certificate");
  const unsigned char* at = der.data();
  X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509 || at != der.data() + der.size()) return crypto::ossl_fail(Fault::malformed, "certificate");
  // OpenSSL also reads BER. A certificate must have exactly one encoding, or its fingerprint would not identify it.
  if (!same(crypto::der_of<i2d_X509>(x509.get()), der)) return crypto::ossl_fail(Fault::malformed, "certificate");
  return of(x509.release(), to_bytes(der));
}

Result<Certificate> Certificate::from_x509(X509* certificate) {
  Bytes der = crypto::der_of<i2d_X509>(certificate);
  if (der.empty()) return crypto::ossl_fail(Fault::malformed, "certificate");
  if (der.size() > kMaxCertificate) return fail(Fault::too_long, "certificate");
  X509_up_ref(certificate);
  return of(certificate, std::move(der));
}

Result<Certificate> Certificate::of(X509* taken, Bytes der) {
  X509Ptr x509(taken);
  if (X509_get_version(x509.get()) != X509_VERSION_3) {
    return fail(Fault::bad_certificate, "certificate: version", "it is not of X.509 version 3");
  }
  auto parsed = std::make_shared<Parsed>();
  const auto not_before = time_of(X509_get0_notBefore(x509.get()));
  const auto not_after = time_of(X509_get0_notAfter(x509.get()));
  Bytes spki = crypto::der_of<i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509.get()));
  if (!not_before || !not_after || spki.empty()) return crypto::ossl_fail(Fault::malformed, "certificate");
  parsed->key_fingerprint = crypto::sha256(spki);
  parsed->not_before = *not_before;
  parsed->not_after = *not_after;
  parsed->fingerprint = crypto::sha256(der);
  parsed->der = std::move(der);
  if (auto key = crypto::PublicKey::from_ossl(X509_get0_pubkey(x509.get()), std::move(spki)))
    parsed->key = *std::move(key);
  // Fills OpenSSL's cache of extensions now, so that later readers on many threads only read.
  X509_check_purpose(x509.get(), -1, 0);
  ERR_clear_error();
  parsed->x509 = std::move(x509);
  return Certificate(std::move(parsed));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  USHER_TRY(Chain chain, chain_from_pem(pem, 1));
  return std::move(chain.front());
}

const Bytes& Certificate::der() const noexcept { return parsed_->der; }
const Hash256& Certificate::fingerprint() const noexcept { return parsed_->fingerprint; }
const Hash256& Certificate::key_fingerprint() const noexcept { return parsed_->key_fingerprint; }
Time Certificate::not_before() const noexcept { return parsed_->not_before; }
Time Certificate::not_after() const noexcept { return parsed_->not_after; }
X509* Certificate::x509() const noexcept { return parsed_->x509.get(); }

std::string Certificate::to_pem() const {
  const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x509()) != 1) return {};
  return content_of(bio.get());
}

Result<crypto::PublicKey> Certificate::public_key() const {
  if (!parsed_->key) return fail(Fault::bad_key, "certificate: key");
  return *parsed_->key;
}

std::string Certificate::subject_text() const { return text_of_name(X509_get_subject_name(x509())); }
std::string Certificate::issuer_text() const { return text_of_name(X509_get_issuer_name(x509())); }

std::optional<std::string> Certificate::subject_field(std::string_view attribute) const {
  return field_of(X509_get_subject_name(x509()), attribute);
}
std::optional<std::string> Certificate::issuer_field(std::string_view attribute) const {
  return field_of(X509_get_issuer_name(x509()), attribute);
}
std::vector<std::string> Certificate::subject_fields(std::string_view attribute) const {
  std::vector<std::string> values;
  const ObjectPtr object = attribute_of(attribute);
  const X509_NAME* name = X509_get_subject_name(x509());
  int at = object ? X509_NAME_get_index_by_OBJ(name, object.get(), -1) : -1;
  for (; at >= 0; at = X509_NAME_get_index_by_OBJ(name, object.get(), at)) {
    if (auto value = text_of_entry(name, at)) values.push_back(*std::move(value));
  }
  return values;
}
std::string Certificate::common_name() const { return subject_field("CN").value_or(""); }
std::string Certificate::organisation() const { return subject_field("O").value_or(""); }

std::string Certificate::serial_hex() const {
  const crypto::BnPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509()), nullptr));
  char* hex = number ? BN_bn2hex(number.get()) : nullptr;
  if (hex == nullptr) return {};
  std::string text(hex);
  OPENSSL_free(hex);
  const bool negative = text.starts_with('-');
  text.erase(0, std::min(text.find_first_not_of("-0"), text.size() - 1));
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return negative ? "-" + text : text;
}

std::vector<std::string> Certificate::dns_names() const {
  std::vector<std::string> out;
  const GeneralNamesPtr names = alternative_names(x509());
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* value = name->d.dNSName;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                     static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (is_clean_utf8(text)) out.push_back(std::move(text));
  }
  return out;
}

std::vector<IpAddress> Certificate::ip_addresses() const {
  std::vector<IpAddress> out;
  const GeneralNamesPtr names = alternative_names(x509());
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_IPADD) continue;
    const unsigned char* data = ASN1_STRING_get0_data(name->d.iPAddress);
    const int size = ASN1_STRING_length(name->d.iPAddress);
    if (size == 4 || size == 16) out.push_back(IpAddress{Bytes(data, data + size)});
  }
  return out;
}

std::optional<std::vector<std::string>> Certificate::extended_key_usages() const {
  int critical = 0;
  const EkuPtr usages(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(x509(), NID_ext_key_usage, &critical, nullptr)));
  if (!usages) {
    ERR_clear_error();
    if (critical == -1) return std::nullopt;  // absent
    return std::vector<std::string>{};        // present twice, or not decodable: no usage at all
  }
  const int count = sk_ASN1_OBJECT_num(usages.get());
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int i = 0; i < count; ++i) {
    out.push_back(dotted(sk_ASN1_OBJECT_value(usages.get(), i)));
  }
  return out;
}

bool Certificate::has_eku(std::string_view oid) const {
  const auto usages = extended_key_usages();
  return usages && std::ranges::find(*usages, oid) != usages->end();
}

std::uint32_t Certificate::key_usage() const noexcept { return X509_get_key_usage(x509()); }
bool Certificate::has_ca_flag() const noexcept { return (X509_get_extension_flags(x509()) & EXFLAG_CA) != 0; }
bool Certificate::may_certify() const noexcept { return has_ca_flag() && X509_check_ca(x509()) > 0; }
bool Certificate::is_ca() const noexcept { return has_ca_flag() || X509_check_ca(x509()) > 0; }
bool Certificate::is_self_issued() const noexcept {
  return X509_NAME_cmp(X509_get_subject_name(x509()), X509_get_issuer_name(x509())) == 0;
}

bool is_attribute(std::string_view name) { return attribute_of(name) != nullptr; }

Result<Chain> chain_from_pem(std::string_view pem, std::size_t max) {
  if (pem.size() > max * 2 * kMaxCertificate + kPemOverhead) return fail(Fault::too_long, "certificate PEM");
  USHER_TRY(const auto blocks, pem_blocks(pem, {PEM_STRING_X509, PEM_STRING_X509_OLD}, max));
  Chain chain;
  for (const Bytes& der : blocks) {
    USHER_TRY(Certificate certificate, Certificate::from_der(der));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

Result<Chain> bundle_from_pem(std::string_view pem) { return chain_from_pem(pem, kMaxBundle); }

Result<Chain> chain_from_der(std::span<const View> certificates) {
  if (certificates.empty()) return fail(Fault::malformed, "certificate chain");
  if (certificates.size() > kMaxChain) return fail(Fault::too_long, "certificate chain");
  Chain chain;
  for (const View der : certificates) {
    USHER_TRY(Certificate certificate, Certificate::from_der(der));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

std::string to_pem(std::span<const Certificate> chain) {
  std::string out;
  for (const Certificate& certificate : chain) out += certificate.to_pem();
  return out;
}

}  // namespace usher::pki
