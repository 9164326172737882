// identity/issuers: the authorities that a chain lacks.  Spec: identity.md §11.7.
#pragma once

#include <functional>
#include <span>

#include "identity/certificate.h"

namespace usher::identity {

inline constexpr std::size_t kMaxIssuersContent = 64 << 10;  // bytes behind one URL
inline constexpr std::size_t kMaxLacking = 3;                // authorities that are added to one chain

/// What caIssuers leads to (RFC 5280 §4.2.2.1): one certificate in DER or PEM, or PKCS#7 with up to 8. Nothing is said of
/// who they are. Errors: too_long, malformed.
[[nodiscard]] Result<Chain> issuers_from_content(View content);

/// Whether `authority` may issue certificates, and its key verifies the signature of this one.
[[nodiscard]] bool has_issued(const Certificate& authority, const Certificate& certificate);

/// Where the way up from the first of `chain` ends: the certificate that none of these, and none of `known`, has issued, by
/// their names and key identifiers. nullptr: it ends at one that issued itself, or does not end.
[[nodiscard]] const Certificate* top_of(std::span<const Certificate> chain, std::span<const Certificate> known);

/// Told of a certificate whose issuer is not at hand.
struct FoundIssuers {
  Chain certificates{};  // each verifies its signature
  bool coming = false;   // there is none, and it is on its way: asking again soon makes sense
};
/// Called by whatever thread verifies; must not wait.
using IssuersOf = std::function<FoundIssuers(const Certificate& certificate)>;

}  // namespace usher::identity
