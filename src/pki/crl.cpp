#include "pki/crl.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "pki/certificate.h"
#include "pki/crl_reduced.h"
#include "pki/pem.h"
#include "pki/x509.h"
#include "wire/codec.h"

namespace usher::pki {
namespace {

constexpr std::size_t kMaxCrls = 256;   // in one file
constexpr std::size_t kMaxNumber = 20;  // bytes, RFC 5280 §5.2.3

Bytes raw_extension(const X509_CRL* crl, int nid) {
  const int at = X509_CRL_get_ext_by_NID(crl, nid, -1);
  if (at < 0) return {};
  const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at));
  const unsigned char* bytes = ASN1_STRING_get0_data(data);
  return {bytes, bytes + ASN1_STRING_length(data)};
}

/// nullopt if the extension is absent. Errors: malformed (present twice, not a number, negative, longer than 20 bytes).
Result<std::optional<CrlNumber>> number_in(const X509_CRL* crl, int nid) {
  int critical = 0;
  const IntegerPtr number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, nid, &critical, nullptr)));
  if (!number) {
    ERR_clear_error();
    if (critical == -1) return std::optional<CrlNumber>{};
    return fail(Fault::malformed, "crl: number");
  }
  const int size = ASN1_STRING_length(number.get());
  if (ASN1_STRING_type(number.get()) != V_ASN1_INTEGER || size < 0 || static_cast<std::size_t>(size) > kMaxNumber) {
    return fail(Fault::malformed, "crl: number");
  }
  return CrlNumber::from_bytes(View(ASN1_STRING_get0_data(number.get()), static_cast<std::size_t>(size)));
}

Hash256 scope_of(const X509_CRL* crl) {
  wire::Writer scope;
  scope.vec32(der_of_name(X509_CRL_get_issuer(crl)));
  scope.vec32(raw_extension(crl, NID_authority_key_identifier));
  scope.vec32(raw_extension(crl, NID_issuing_distribution_point));
  return crypto::sha256(scope.bytes());
}

}  // namespace

std::strong_ordering operator<=>(const CrlNumber& a, const CrlNumber& b) noexcept {
  if (a.bytes_.size() != b.bytes_.size()) return a.bytes_.size() <=> b.bytes_.size();
  return std::lexicographical_compare_three_way(a.bytes_.begin(), a.bytes_.end(), b.bytes_.begin(), b.bytes_.end());
}

CrlNumber::CrlNumber(std::uint64_t value) {
  wire::Writer writer;
  *this = from_bytes(writer.u64(value).bytes());
}

CrlNumber CrlNumber::from_bytes(View bytes) {
  const auto first = std::ranges::find_if(bytes, [](std::uint8_t byte) { return byte != 0; });
  CrlNumber out;
  out.bytes_.assign(first, bytes.end());
  return out;
}

std::string CrlNumber::hex() const { return bytes_.empty() ? "0" : to_hex(bytes_); }

struct Crl::Parsed {
  Bytes der;
  std::unique_ptr<const ReducedCrl> light;  // borrows der
  Hash256 scope{};
  std::optional<CrlNumber> number;
  std::optional<CrlNumber> base_number;
  Time this_update{};
  Time next_update{};
};

Result<Crl> Crl::from_der(View der) {
  if (der.size() > kMaxCrl) return fail(Fault::too_long, "crl");
  auto parsed = std::make_shared<Parsed>();
  parsed->der = to_bytes(der);
  USHER_TRY(parsed->light, ReducedCrl::make(parsed->der));
  const X509_CRL* crl = parsed->light->ossl();
  if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2) return fail(Fault::malformed, "crl: version");
  const auto this_update = time_of(X509_CRL_get0_lastUpdate(crl));
  const auto next_update = time_of(X509_CRL_get0_nextUpdate(crl));
  if (!this_update || !next_update) return crypto::ossl_fail(Fault::malformed, "crl: times");

  USHER_TRY(parsed->number, number_in(crl, NID_crl_number));
  USHER_TRY(parsed->base_number, number_in(crl, NID_delta_crl));
  // A delta without a number cannot be ordered (RFC 5280 §5.2.4).
  if (parsed->base_number && !parsed->number) return fail(Fault::malformed, "crl: delta without number");
  parsed->this_update = *this_update;
  parsed->next_update = *next_update;
  parsed->scope = scope_of(crl);
  return Crl(std::move(parsed));
}

Result<Crl> Crl::from_ossl(X509_CRL* crl) {
  const Bytes der = crypto::der_of<i2d_X509_CRL>(crl);
  if (der.empty()) return crypto::ossl_fail(Fault::malformed, "crl");
  return from_der(der);
}

Result<Crl> Crl::from_pem(std::string_view pem) {
  USHER_TRY(std::vector<Crl> crls, crls_from_file_content(view_of(pem)));
  if (crls.size() != 1) return fail(Fault::malformed, "crl");
  return std::move(crls.front());
}

const Bytes& Crl::der() const noexcept { return parsed_->der; }
const std::optional<CrlNumber>& Crl::number() const noexcept { return parsed_->number; }
const std::optional<CrlNumber>& Crl::base_number() const noexcept { return parsed_->base_number; }
Time Crl::this_update() const noexcept { return parsed_->this_update; }
Time Crl::next_update() const noexcept { return parsed_->next_update; }
const Hash256& Crl::scope() const noexcept { return parsed_->scope; }
X509_CRL* Crl::ossl() const noexcept { return parsed_->light->ossl(); }
std::string Crl::issuer_text() const { return text_of_name(X509_CRL_get_issuer(ossl())); }

std::size_t Crl::entries() const noexcept { return parsed_->light->index().size(); }

std::string Crl::to_pem() const {
  const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio(bio.get(), PEM_STRING_X509_CRL, "", der().data(), static_cast<long>(der().size())) <= 0) {
    return {};
  }
  return content_of(bio.get());
}

bool Crl::revokes(const Certificate& certificate) const {
  return parsed_->light->find(X509_get0_serialNumber(certificate.x509()), X509_get_issuer_name(certificate.x509())) ==
         CrlIndex::Status::revoked;
}

bool Crl::has_unknown_critical() const {
  for (int i = 0; i < X509_CRL_get_ext_count(ossl()); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(ossl(), i);
    const int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const bool known =
        kind == NID_issuing_distribution_point || kind == NID_authority_key_identifier || kind == NID_delta_crl;
    if (!known && X509_EXTENSION_get_critical(extension) == 1) return true;
  }
  return parsed_->light->index().has_critical();
}

Result<> Crl::verify(const Certificate& issuer) const {
  constexpr auto kFault = Fault::revocation_unknown;
  if (X509_NAME_cmp(X509_CRL_get_issuer(ossl()), X509_get_subject_name(issuer.x509())) != 0) {
    return fail(kFault, "crl: issuer", "the list is another authority's");
  }
  if ((issuer.key_usage() & KU_CRL_SIGN) == 0) return fail(kFault, "crl: issuer", "the authority may not sign lists");
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(ossl(), nullptr, &algorithm);
  if (!is_strong_signature(algorithm))
    return fail(kFault, "crl: signature", "the list is signed with a weak algorithm");
  EVP_PKEY* key = X509_get0_pubkey(issuer.x509());
  if (key == nullptr || !parsed_->light->verify(key)) {
    return crypto::ossl_fail(kFault, "crl: signature", "the signature of a revocation list does not verify");
  }
  return {};
}

Result<std::vector<Crl>> crls_from_file_content(View content) {
  if (content.size() > kMaxCrlFile) return fail(Fault::too_long, "crl file");
  USHER_TRY(const auto ders, der_or_pem(content, {PEM_STRING_X509_CRL}, kMaxCrls));
  std::vector<Crl> out;
  for (const Bytes& der : ders) {
    USHER_TRY(Crl crl, Crl::from_der(der));
    out.push_back(std::move(crl));
  }
  return out;
}

}  // namespace usher::pki
