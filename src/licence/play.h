// licence/play: one play of a medium, as a state machine without I/O.  Spec: licence.md §5, §6.
//
//            open            grant beyond the free chunks           close, expire
//   (none) ───────▶ opened ─────────────────────────────▶ committed ───────────▶ ended
//                     │ close, expire: the reserved play is given back
//                     └────────────────────────────────────────────────────────▶ refunded
#pragma once

#include <span>

#include "licence/terms.h"

namespace usher::licence {

/// The operator's numbers (§5.1).
struct PlayPolicy {
  Seconds commit_after{30};              // of the medium, heard for nothing at most
  Seconds deadline{24 * 3600};           // a play's life, at least
  std::uint32_t deadline_durations = 3;  // and at least so many times the medium's duration
  std::uint32_t budget_num = 3;          // chunks granted in one play: num/den of the medium, rounded up
  std::uint32_t budget_den = 2;          // at least 1
  std::uint8_t per_chunk_max = 3;        // grants of one chunk in one play, at least 1

  friend bool operator==(const PlayPolicy&, const PlayPolicy&) = default;
};
/// Errors: bad_config (a zero where there must be none, a budget below the medium).
[[nodiscard]] Result<> check_policy(const PlayPolicy& policy);

/// What the rules need to know of a medium.
struct Extent {
  std::uint32_t chunks = 0;  // at least 1
  Milliseconds duration{0};  // 0: unknown
};

/// Distinct chunks that may be granted before a play counts: the smaller of commit_after's worth and half the medium,
/// both rounded down; 0 where the duration is unknown (§5.2).
[[nodiscard]] std::uint32_t free_chunks(const PlayPolicy& policy, const Extent& medium) noexcept;
/// Chunks that one play may be granted, repeats included (§5.4).
[[nodiscard]] std::uint32_t budget_of(const PlayPolicy& policy, const Extent& medium) noexcept;
/// When a play opened `now` ends by itself (§5.5).
[[nodiscard]] Time deadline_of(const PlayPolicy& policy, const Extent& medium, Time now) noexcept;

enum class PlayState : std::uint8_t { opened = 0, committed = 1, refunded = 2, ended = 3 };
[[nodiscard]] constexpr bool is_over(PlayState state) noexcept { return state >= PlayState::refunded; }

struct Play {
  PlayState state = PlayState::opened;
  std::uint64_t epoch = 1;    // raised by each resume
  Time deadline{};            // never moved
  std::uint32_t granted = 0;  // chunks, repeats included

  friend bool operator==(const Play&, const Play&) = default;
};

/// What a step does to the licence, in the transaction that stores the play.
enum class Effect : std::uint8_t {
  none,
  reserve,  // one play less is left
  commit,   // the reserved play is used; the heard chunks start anew (§5.3)
  refund,   // the reserved play is given back
};
struct Step {
  Play play;
  Effect effect = Effect::none;
};

/// One chunk of a grant: how often this play was granted it before, and whether it is among the licence's heard chunks.
struct ChunkUse {
  std::uint32_t number = 0;
  std::uint8_t times = 0;
  bool heard = false;
};

/// A new play. The store makes it only if a play is left (§5.3).
[[nodiscard]] Step open(const PlayPolicy& policy, const Extent& medium, Time now) noexcept;

/// Grants all of `chunks` (each number once) or none. `heard`: how many chunks the licence has heard for nothing.
/// Errors: play_over, stale_epoch, play_expired, malformed (no chunk, or one twice), unknown_chunk, budget_spent.
[[nodiscard]] Result<Step> grant(const PlayPolicy& policy, const Extent& medium, const Play& play, std::uint64_t epoch,
                                 std::span<const ChunkUse> chunks, std::uint32_t heard, Time now);

/// Carries on with a play that was not closed; older epochs are refused from now on.
/// Errors: play_over, play_expired.
[[nodiscard]] Result<Step> resume(const Play& play, Time now);

/// The deliberate end. Errors: play_over, stale_epoch.
[[nodiscard]] Result<Step> close(const Play& play, std::uint64_t epoch);

/// The end by time. Errors: play_over; unexpected_message before the deadline.
[[nodiscard]] Result<Step> expire(const Play& play, Time now);

}  // namespace usher::licence
