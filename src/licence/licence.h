// licence/licence: the licence document, a JWS in compact serialisation (RFC 7515 §7.1).  Spec: licence.md §2.
//
//   base64url(header) . base64url(payload) . base64url(signature)
//
// Each licence key has exactly one header, and the same terms have exactly one payload, byte for byte. Every other form
// is refused.
#pragma once

#include "crypto/key.h"
#include "licence/terms.h"

namespace usher::licence {

inline constexpr std::size_t kMaxDocument = 8'192;  // characters, §2.1

/// A document whose signature was verified. Only `verify` makes one.
class VerifiedLicence {
 public:
  [[nodiscard]] const LicenceTerms& terms() const noexcept { return terms_; }
  /// The exact document.
  [[nodiscard]] const std::string& document() const noexcept { return document_; }

 private:
  friend Result<VerifiedLicence> verify(std::string_view document, const crypto::PublicKey& key);
  VerifiedLicence(LicenceTerms terms, std::string document)
      : terms_(std::move(terms)), document_(std::move(document)) {}

  LicenceTerms terms_;
  std::string document_;
};

/// The document. Errors: malformed (check_terms); bad_key (a signer that makes neither ES256 nor PS256); the signer's.
[[nodiscard]] Result<std::string> sign(const LicenceTerms& terms, const crypto::Signer& signer);

/// Errors: too_long; malformed (not three parts, base64url, payload that is not the exact serialisation of terms);
/// bad_signature (a header for another key, algorithm or type, or a wrong signature). The payload is not read before
/// the signature was verified.
[[nodiscard]] Result<VerifiedLicence> verify(std::string_view document, const crypto::PublicKey& key);

/// The `kid` of a licence key: base64url of SHA-256 of its SPKI, 43 characters. To find the key that verifies.
[[nodiscard]] std::string key_id_of(const crypto::PublicKey& key);
/// The `kid` that a document names, unverified, to choose among known keys. Errors: malformed, too_long.
[[nodiscard]] Result<std::string> claimed_key_id(std::string_view document);

/// The payload's bytes (§2.3), which are signed. Precondition: check_terms holds.
[[nodiscard]] std::string encode_terms(const LicenceTerms& terms);
/// Strict: decode_terms(encode_terms(t)) == t, and encode_terms(decode_terms(b)) == b. Errors: malformed, unsupported
/// (another version).
[[nodiscard]] Result<LicenceTerms> decode_terms(std::string_view payload);

}  // namespace usher::licence
