// pki/issuers: finds the authorities that a chain lacks.  Spec: identity.md §11.7.
#pragma once

#include <functional>
#include <span>

#include "pki/certificate.h"

namespace usher::pki {

inline constexpr std::size_t kMaxIssuersContent = 64 << 10;  // bytes at one URL
inline constexpr std::size_t kMaxLacking = 3;                // authorities that are added to one chain

/// Parses the content of a caIssuers URL (RFC 5280 §4.2.2.1): one certificate in DER or PEM, or PKCS#7 with up to 8.
/// The certificates are not verified. Errors: too_long, malformed.
[[nodiscard]] Result<Chain> issuers_from_content(View content);

/// Whether `authority` may issue certificates, and its key verifies the signature of `certificate`.
[[nodiscard]] bool has_issued(const Certificate& authority, const Certificate& certificate);

/// Follows the issuers upwards from the first certificate of `chain`, by names and key identifiers. Returns the
/// certificate whose issuer is neither in `chain` nor in `known`. nullptr: the way ends at a self-issued certificate,
/// or it does not end.
[[nodiscard]] const Certificate* top_of(std::span<const Certificate> chain, std::span<const Certificate> known);

/// The issuers found for a certificate whose issuer is missing.
struct FoundIssuers {
  Chain certificates{};  // each verifies the certificate's signature
  bool coming = false;   // no issuer yet, but a fetch is running: the caller should retry soon
};
/// Called by any thread that verifies; must not block.
using IssuersOf = std::function<FoundIssuers(const Certificate& certificate)>;

}  // namespace usher::pki
