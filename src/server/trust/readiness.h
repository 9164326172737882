// server/trust/readiness: when certificates and lists expire, and which gaps in the trust stores make logins
// impossible.
#pragma once

#include <functional>

#include "server/trust/authorities.h"

namespace usher::server {

inline constexpr Milliseconds kExpiryNotice = std::chrono::days(7);

/// A certificate or list that the server uses until `when`.
struct Expiry {
  std::string what;  // its name in log, metrics and readiness: "server certificate", 'client authority "media root"'
  Time when{};
  Milliseconds notice = kExpiryNotice;  // how long before `when` the operator is warned
  bool stops = true;                    // the server cannot serve as usual after `when`
};
using Expiries = std::vector<Expiry>;

/// The expiries of the trust stores: every root and authority, and the revocation lists and deltas in use of each scope
/// that the operator configured. A newer fetched list counts in place of a configured one. Fetched lists and deltas are
/// renewed automatically or often, so the operator is warned of them only in the last quarter of their life.
[[nodiscard]] Expiries trust_expiries(const Authorities& authorities, Time now);
/// The warning for `expiry` at `now`: "… ends in 3 days", "… has expired". Empty: too early for a warning.
[[nodiscard]] std::string warning_of(const Expiry& expiry, Time now);

/// Whether lists of this authority may still be fetched. Called without a lock.
using MayFetch = std::function<bool(const pki::Certificate& authority)>;

/// Reasons why logins fail. Each has a sentence in `about`.
struct LoginGaps {
  std::vector<Error> none;  // of trust stores that can accept no one at all: every root has a gap
  std::vector<Error> some;  // of trust stores in which only some roots or authorities have a gap
};
/// The gap as text: "client: certificates below … cannot be used to log in: … [revocation-unknown]".
[[nodiscard]] std::string gap_text(const Error& gap);
/// The gaps for clients and for each kind of person, at `now`. `may_fetch` may be empty: nothing is fetched.
[[nodiscard]] LoginGaps login_gaps(const Authorities& authorities, Time now, const MayFetch& may_fetch);

/// True if `authority` issued one of these certificates, and that one names a list's http or https URL.
[[nodiscard]] bool points_to_lists_of(const pki::Certificate& authority, const pki::Chain& certificates);

}  // namespace usher::server
