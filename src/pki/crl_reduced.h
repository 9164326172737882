// pki/crl_reduced: the short form of a revocation list that OpenSSL's path validation sees.  For crl*.cpp.
// Spec: identity.md §4.6.
//
// It is an X509_CRL of the list's outer parts and at most three example entries. The examples make OpenSSL set the same
// flags about entries as all entries would. When OpenSSL looks up a certificate or verifies the signature, its
// X509_CRL_METHOD calls this code: the index has all entries, and the signature is checked over the original bytes.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "pki/crl_index.h"
#include "pki/x509.h"

namespace usher::pki {

/// An empty list to fill, with OpenSSL's own methods. Only this function and ReducedCrl make an X509_CRL.
[[nodiscard]] CrlPtr new_crl();

/// The signature of a list. A long list is hashed once. So verifying a long list with any key, even an unrelated one,
/// costs no more than a short list. Keys that verified the signature are remembered.
class CrlSignature {
 public:
  /// Borrows both arguments.
  CrlSignature(View signed_bytes, const X509_CRL* crl);
  /// Whether this key made the signature. Does not check the strength of the algorithm.
  [[nodiscard]] bool verify(EVP_PKEY* key) const;

 private:
  [[nodiscard]] bool verify_digest(EVP_PKEY* key) const;
  [[nodiscard]] bool verify_bytes(EVP_PKEY* key) const;

  View signed_bytes_;
  const X509_CRL* crl_;
  int key_kind_ = 0;  // NIDs of the algorithm's two parts
  int digest_kind_ = 0;
  Bytes digest_;  // empty: the algorithm needs all signed bytes (PSS, EdDSA)
  mutable std::mutex mutex_;
  mutable std::vector<Hash256> proven_;  // SHA-256 of SubjectPublicKeyInfo
};

class ReducedCrl {
 public:
  /// Borrows `der`. Errors: malformed; too_long.
  [[nodiscard]] static Result<std::unique_ptr<const ReducedCrl>> make(View der);

  [[nodiscard]] X509_CRL* ossl() const noexcept { return crl_.get(); }
  [[nodiscard]] const CrlIndex& index() const noexcept { return index_; }
  [[nodiscard]] CrlIndex::Status find(const ASN1_INTEGER* serial, const X509_NAME* issuer) const;
  [[nodiscard]] bool verify(EVP_PKEY* key) const { return signature_.verify(key); }
  /// An example entry with this status, from which OpenSSL reads the reason.
  [[nodiscard]] X509_REVOKED* answer(CrlIndex::Status status) const noexcept;

 private:
  ReducedCrl(CrlIndex index, CrlPtr crl, View signed_bytes);
  CrlIndex index_;
  CrlPtr crl_;
  CrlSignature signature_;
};

}  // namespace usher::pki
