#include "pki/crl_reduced.h"

#include <algorithm>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "crypto/digest.h"

namespace usher::pki {
namespace {

constexpr std::size_t kMaxProven = 4;  // keys remembered per list

// ---- OpenSSL's methods of a reduced list. For an X509_CRL without a ReducedCrl they report the worst: revoked, and
// not verified.

const ReducedCrl* reduced_of(X509_CRL* crl) { return static_cast<const ReducedCrl*>(X509_CRL_get_meth_data(crl)); }

/// 0: not listed, 1: revoked, 2: removeFromCRL.
int look_up(X509_CRL* crl, X509_REVOKED** entry, const ASN1_INTEGER* serial, const X509_NAME* issuer) {
  const ReducedCrl* reduced = reduced_of(crl);
  const auto status = reduced == nullptr ? CrlIndex::Status::revoked : reduced->find(serial, issuer);
  if (status == CrlIndex::Status::absent) return 0;
  X509_REVOKED* answer = reduced == nullptr ? nullptr : reduced->answer(status);
  static X509_REVOKED* const revoked = X509_REVOKED_new();  // for a list without a ReducedCrl
  if (entry != nullptr) *entry = answer == nullptr ? revoked : answer;
  return status == CrlIndex::Status::removed ? 2 : 1;
}

int verify(X509_CRL* crl, EVP_PKEY* key) {
  const ReducedCrl* reduced = reduced_of(crl);
  return reduced != nullptr && reduced->verify(key) ? 1 : 0;
}

/// OpenSSL cannot set the methods of a single list: a decoded list takes the defaults of that moment.
std::mutex& default_method_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// Errors: malformed.
Result<CrlPtr> decode(View der) {
  static const X509_CRL_METHOD* const method = X509_CRL_METHOD_new(nullptr, nullptr, look_up, verify);
  if (method == nullptr) return crypto::ossl_fail(Fault::local, "crl");
  const unsigned char* at = der.data();
  CrlPtr crl;
  {
    const std::lock_guard lock(default_method_mutex());
    X509_CRL_set_default_method(method);
    crl.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    X509_CRL_set_default_method(nullptr);  // OpenSSL's own
  }
  if (!crl || at != der.data() + der.size()) return crypto::ossl_fail(Fault::malformed, "crl");
  return crl;
}

// ---- Writing the reduced list

void add_sequence(Bytes& out, std::initializer_list<View> parts) {
  std::size_t size = 0;
  for (const View part : parts) size += part.size();
  const auto length = static_cast<int>(size);
  Bytes header(static_cast<std::size_t>(ASN1_object_size(1, length, V_ASN1_SEQUENCE)) - size);
  unsigned char* at = header.data();
  ASN1_put_object(&at, 1, length, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
  append(out, header);
  for (const View part : parts) append(out, part);
}

Bytes reduced_der(const CrlParts& parts, const CrlIndex& index) {
  const auto& examples = index.examples();
  Bytes entries;
  if (index.size() > 0) add_sequence(entries, {examples.revoked, examples.removed, examples.critical});
  Bytes body;
  add_sequence(body, {parts.before, entries, parts.after});
  Bytes out;
  add_sequence(out, {body, parts.signature});
  return out;
}

}  // namespace

CrlPtr new_crl() {
  const std::lock_guard lock(default_method_mutex());
  return CrlPtr(X509_CRL_new());
}

CrlSignature::CrlSignature(View signed_bytes, const X509_CRL* crl) : signed_bytes_(signed_bytes), crl_(crl) {
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl, nullptr, &algorithm);
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  if (OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest_kind_, &key_kind_) != 1) digest_kind_ = NID_undef;
  const EVP_MD* digest = digest_kind_ == NID_undef ? nullptr : EVP_get_digestbynid(digest_kind_);
  if (digest == nullptr) return;
  digest_.resize(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(signed_bytes.data(), signed_bytes.size(), digest_.data(), &size, digest, nullptr) != 1) size = 0;
  digest_.resize(size);
  ERR_clear_error();
}

bool CrlSignature::verify(EVP_PKEY* key) const {
  const Bytes spki = crypto::der_of<i2d_PUBKEY>(key);
  if (spki.empty()) return false;
  const Hash256 name = crypto::sha256(spki);
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(proven_, name) != proven_.end()) return true;
  }
  if (!(digest_.empty() ? verify_bytes(key) : verify_digest(key))) return false;
  const std::lock_guard lock(mutex_);
  if (proven_.size() < kMaxProven) proven_.push_back(name);
  return true;
}

bool CrlSignature::verify_digest(EVP_PKEY* key) const {
  const ASN1_BIT_STRING* signature = nullptr;
  X509_CRL_get0_signature(crl_, &signature, nullptr);
  const crypto::PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return EVP_PKEY_is_a(key, OBJ_nid2sn(key_kind_)) == 1 && context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbynid(digest_kind_)) == 1 &&
         EVP_PKEY_verify(context.get(), ASN1_STRING_get0_data(signature),
                         static_cast<std::size_t>(ASN1_STRING_length(signature)), digest_.data(), digest_.size()) == 1;
}

bool CrlSignature::verify_bytes(EVP_PKEY* key) const {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl_, &signature, &algorithm);
  // OpenSSL encodes the item ASN1_SEQUENCE as exactly the bytes that it holds.
  const Ossl<ASN1_STRING, ASN1_STRING_free> bytes(ASN1_STRING_type_new(V_ASN1_SEQUENCE));
  return bytes && ASN1_STRING_set(bytes.get(), signed_bytes_.data(), static_cast<int>(signed_bytes_.size())) == 1 &&
         ASN1_item_verify(ASN1_ITEM_rptr(ASN1_SEQUENCE), algorithm, signature, bytes.get(), key) == 1;
}

ReducedCrl::ReducedCrl(CrlIndex index, CrlPtr crl, View signed_bytes)
    : index_(std::move(index)), crl_(std::move(crl)), signature_(signed_bytes, crl_.get()) {
  X509_CRL_set_meth_data(crl_.get(), this);
}

Result<std::unique_ptr<const ReducedCrl>> ReducedCrl::make(View der) {
  USHER_TRY(const CrlParts parts, split_crl(der));
  USHER_TRY(CrlIndex index, CrlIndex::build(der, parts.entries));
  USHER_TRY(CrlPtr crl, decode(reduced_der(parts, index)));
  return std::unique_ptr<const ReducedCrl>(new ReducedCrl(std::move(index), std::move(crl), parts.signed_bytes));
}

CrlIndex::Status ReducedCrl::find(const ASN1_INTEGER* serial, const X509_NAME* issuer) const {
  const Bytes der = crypto::der_of<i2d_ASN1_INTEGER>(serial);
  const unsigned char* at = der.data();
  long size = 0;
  int tag = 0;
  int kind = 0;
  // The serial number cannot be looked up: treat the certificate as revoked.
  if (der.empty() || (ASN1_get_object(&at, &size, &tag, &kind, static_cast<long>(der.size())) & 0x80) != 0) {
    return CrlIndex::Status::revoked;
  }
  return index_.find(View(der).last(static_cast<std::size_t>(size)), issuer, X509_CRL_get_issuer(crl_.get()));
}

X509_REVOKED* ReducedCrl::answer(CrlIndex::Status status) const noexcept {
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl_.get());
  const bool second = status == CrlIndex::Status::removed && !index_.examples().revoked.empty();
  return sk_X509_REVOKED_value(entries, second ? 1 : 0);  // in the order of reduced_der
}

}  // namespace usher::pki
