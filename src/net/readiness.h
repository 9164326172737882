// net/readiness: what ends when, and whether anybody can log in at all by the certificates and lists at hand.
#pragma once

#include <functional>

#include "net/authorities.h"

namespace usher::net {

inline constexpr Milliseconds kExpiryNotice = std::chrono::days(7);

/// Something that a server lives by until `when`.
struct Expiry {
  std::string what;  // for log, metrics and readiness: "server certificate", 'client authority "media root"'
  Time when{};
  Milliseconds notice = kExpiryNotice;  // before `when`, that the operator is warned
  bool stops = true;                    // nobody can be served as usual after it
};
using Expiries = std::vector<Expiry>;

/// Of the trust stores: every root and authority, and the revocation lists and deltas that count. A newer list that was
/// fetched counts in a configured one's place. Who renews by himself, or often, is warned of late: lists that were
/// fetched, and deltas, in the last quarter of their life.
[[nodiscard]] Expiries trust_expiries(const Authorities& authorities, Time now);
/// Where it is to be warned of now: "… ends in 3 days", "… has ended".  Empty: not yet.
[[nodiscard]] std::string warning_of(const Expiry& expiry, Time now);

/// Whether lists of this authority may still be fetched. Called without a lock.
using MayFetch = std::function<bool(const identity::Certificate& authority)>;

/// Each with a sentence in `about`.
struct LoginGaps {
  std::vector<Error> none;  // below no root of a trust store can anybody be accepted
  std::vector<Error> some;  // below a root or an authority nobody can, while there are others
};
/// "client: nobody below … can log in: … [revocation-unknown]".
[[nodiscard]] std::string gap_text(const Error& gap);
/// Of clients and of each kind of person, at `now`. `may_fetch` may be empty: nothing is fetched.
[[nodiscard]] LoginGaps login_gaps(const Authorities& authorities, Time now, const MayFetch& may_fetch);

/// Whether one of these certificates, which `authority` issued, points to a list that is fetched from http or https.
[[nodiscard]] bool points_to_lists_of(const identity::Certificate& authority, const identity::Chain& certificates);

}  // namespace usher::net
