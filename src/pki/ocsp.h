// pki/ocsp: an OCSP responder's answer about one certificate (RFC 6960).  Spec: identity.md §4.8.
#pragma once

#include <functional>
#include <optional>

#include "pki/certificate.h"

namespace usher::pki {

inline constexpr std::size_t kMaxAnswer = 64 << 10;                   // bytes of a response
inline constexpr Milliseconds kAnswerSkew = std::chrono::minutes(5);  // by which thisUpdate may be ahead

/// Verified: its signature is valid for this certificate and this issuer.
struct StatusAnswer {
  bool revoked = false;
  Time this_update{};  // as signed: it may be a little ahead
  Time next_update{};  // when it ends
  [[nodiscard]] bool in_force(Time at) const noexcept { return this_update <= at + kAnswerSkew && at < next_update; }
};

/// The DER of an OCSPRequest about one certificate, without a nonce and unsigned (RFC 5019). Errors: local.
[[nodiscard]] Result<Bytes> status_request(const Certificate& certificate, const Certificate& issuer);

/// `response`: DER, not trusted. Errors: too_long; malformed; revocation_unknown (the responder has no answer; or its
/// answer is about another certificate, not in force yet, signed without permission or with a weak digest);
/// crl_expired.
[[nodiscard]] Result<StatusAnswer> read_answer(View response, const Certificate& certificate, const Certificate& issuer,
                                               Time now);

/// Returns the stored answer about the certificate with the first fingerprint, issued by the certificate with the
/// second; nullopt if there is no answer. Called by any thread that verifies; must not block.
using AnswerOf = std::function<std::optional<StatusAnswer>(const Hash256& certificate, const Hash256& issuer)>;

}  // namespace usher::pki
