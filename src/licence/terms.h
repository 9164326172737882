// licence/terms: what a licence grants, and whether it can be used now.  Spec: licence.md §2, §4.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace usher::licence {

inline constexpr std::uint32_t kMaxPlays = 1'000'000;         // §2.3
inline constexpr std::int64_t kMaxSeconds = 253'402'300'799;  // the end of the year 9999, §2.3
inline constexpr std::int64_t kMaxWindow = 3'155'760'000;     // seconds, a hundred years, §2.3
inline constexpr std::size_t kMaxServerId = 255;              // characters, §2.3

/// The content of the document. Times are whole Unix seconds, as in the document. Never changes after signing.
struct LicenceTerms {
  Id128 id{};
  std::string server;                   // the operator's configured server id
  Hash256 pseudonym{};                  // the person
  std::optional<Hash256> installation;  // SHA-256 of its public key's SPKI; empty: bound to the person only
  Hash256 manifest{};                   // SHA-256 of the manifest's bytes
  Id128 medium{};
  std::optional<std::uint32_t> plays;                   // 1..kMaxPlays; empty: any number, for a time
  std::int64_t not_before = 0;                          // usable from this second on
  std::optional<std::int64_t> expires;                  // not usable from this second on
  std::optional<std::int64_t> window_after_first_play;  // seconds from the first committed play
  std::int64_t issued_at = 0;

  friend bool operator==(const LicenceTerms&, const LicenceTerms&) = default;
};

/// Whether a text can be a server id: 1..kMaxServerId printable ASCII characters, no space, `"` or `\` (§2.3).
[[nodiscard]] bool is_server_id(std::string_view text) noexcept;

/// Errors: malformed, a member out of its range, or neither plays nor an end (§2.3).
[[nodiscard]] Result<> check_terms(const LicenceTerms& terms);

/// What the store knows about a licence in addition to its terms. Both together decide whether it is usable now (§4).
struct Standing {
  std::optional<std::uint32_t> plays_left;  // empty: not counted
  std::optional<std::int64_t> first_play;   // Unix seconds of the first commit
  std::optional<std::int64_t> revoked_at;   // Unix seconds
};

/// The first second at which the licence is no longer usable, as far as it is known; empty: no end.
[[nodiscard]] std::optional<std::int64_t> usable_until(const LicenceTerms& terms, const Standing& standing) noexcept;

/// Checked at every open, and at every resume and chunk of a play that is not committed (§4.2). Does not read
/// plays_left.
/// Errors: licence_revoked, licence_not_yet_valid, licence_expired.
[[nodiscard]] Result<> check_usable(const LicenceTerms& terms, const Standing& standing, Time now);

/// The same for a committed play: it may be finished even if the licence has ended since.
/// Errors: licence_revoked.
[[nodiscard]] Result<> check_not_revoked(const Standing& standing);

/// Whether this person on this installation may use the licence (§4.1).
/// Errors: unknown_licence (another person's: its existence is not revealed), wrong_installation.
[[nodiscard]] Result<> check_holder(const LicenceTerms& terms, const Hash256& pseudonym, const Hash256& installation);

}  // namespace usher::licence
