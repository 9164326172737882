// identity/crl_light: what OpenSSL's path validation gets to see of a revocation list.  For crl*.cpp.
// Spec: identity.md §4.6.
//
// An X509_CRL of the list's outer parts, with at most three of its entries: examples, so that OpenSSL's flags about
// entries come out as they would for all of them. When OpenSSL looks up a certificate or verifies the signature, its
// X509_CRL_METHOD asks here: the index has all entries, and the signature is that of the original bytes.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "identity/crl_index.h"
#include "identity/x509.h"

namespace usher::identity {

/// An empty list to be filled, with OpenSSL's own methods: the one place beside LightCrl that makes an X509_CRL.
[[nodiscard]] CrlPtr new_crl();

/// The signature of a list. A long list is hashed once, so that no key, a stranger's included, costs more on it than on
/// a short one. Keys that proved right are remembered.
class CrlSignature {
 public:
  /// Borrows both.
  CrlSignature(View signed_bytes, const X509_CRL* crl);
  /// Whether it is this key's. Says nothing about the strength of the algorithm.
  [[nodiscard]] bool verify(EVP_PKEY* key) const;

 private:
  [[nodiscard]] bool verify_digest(EVP_PKEY* key) const;
  [[nodiscard]] bool verify_bytes(EVP_PKEY* key) const;

  View signed_bytes_;
  const X509_CRL* crl_;
  int key_kind_ = 0;  // NIDs of the algorithm's two halves
  int digest_kind_ = 0;
  Bytes digest_;  // empty: the algorithm wants the whole bytes (PSS, EdDSA)
  mutable std::mutex mutex_;
  mutable std::vector<Hash256> proven_;  // SHA-256 of SubjectPublicKeyInfo
};

class LightCrl {
 public:
  /// Borrows `der`. Errors: malformed; too_long.
  [[nodiscard]] static Result<std::unique_ptr<const LightCrl>> make(View der);

  [[nodiscard]] X509_CRL* ossl() const noexcept { return crl_.get(); }
  [[nodiscard]] const CrlIndex& index() const noexcept { return index_; }
  [[nodiscard]] CrlIndex::Status find(const ASN1_INTEGER* serial, const X509_NAME* issuer) const;
  [[nodiscard]] bool verify(EVP_PKEY* key) const { return signature_.verify(key); }
  /// An entry for OpenSSL to read the reason from.
  [[nodiscard]] X509_REVOKED* answer(CrlIndex::Status status) const noexcept;

 private:
  LightCrl(CrlIndex index, CrlPtr crl, View signed_bytes);
  CrlIndex index_;
  CrlPtr crl_;
  CrlSignature signature_;
};

}  // namespace usher::identity
