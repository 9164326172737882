// licence/play: one play of a medium, as a state machine without I/O.  Spec: licence.md §5, §6.
//
//            open            grant beyond the free part             close, expire
//   (none) ───────▶ opened ─────────────────────────────▶ committed ───────────▶ ended
//                     │ close, expire: the reserved play is given back
//                     └────────────────────────────────────────────────────────▶ refunded
#pragma once

#include "licence/counting.h"

namespace usher::licence {

/// The operator's numbers (§5.1).
struct PlayPolicy {
  Seconds commit_after{30};              // of the medium, free of charge
  Seconds deadline{7 * 24 * 3600};       // the lifetime of a play, at least
  std::uint32_t deadline_durations = 3;  // and at least this many times the medium's duration
  std::uint32_t max_moves = 4;           // of one play between installations

  friend bool operator==(const PlayPolicy&, const PlayPolicy&) = default;
};
/// Errors: bad_config (a negative `commit_after`, or a `deadline` that is not above 0).
[[nodiscard]] Result<> check_policy(const PlayPolicy& policy);

/// The deadline of a play that is opened at `now` (§5.5).
[[nodiscard]] Time deadline_of(const PlayPolicy& policy, const Extent& medium, Time now) noexcept;

enum class PlayState : std::uint8_t { opened = 0, committed = 1, refunded = 2, ended = 3 };
[[nodiscard]] constexpr bool is_over(PlayState state) noexcept { return state >= PlayState::refunded; }

struct Play {
  PlayState state = PlayState::opened;
  std::uint64_t epoch = 1;    // raised by each resume
  Time deadline{};            // never changed
  std::uint32_t repeats = 0;  // repeats so far: grants of chunks that it was granted before, §5.4
  std::uint32_t moves = 0;    // between installations

  friend bool operator==(const Play&, const Play&) = default;
};
[[nodiscard]] std::uint32_t repeats_left(const Extent& medium, const Play& play) noexcept;

/// The effect of a step on the licence, in the transaction that stores the play.
enum class Effect : std::uint8_t {
  none,
  reserve,  // one play fewer is left
  commit,   // the reserved play is used; the set of heard chunks starts again (§5.3)
  refund,   // the reserved play is given back
};
struct Step {
  Play play;
  Effect effect = Effect::none;
};

/// The requested chunk, and what the store knows about it.
struct ChunkUse {
  std::uint32_t number = 0;
  std::uint32_t times = 0;  // earlier grants in this play: for a chunk with headers their number, for others 0 or 1
  bool heard = false;       // among the person's heard chunks of the medium (§5.3)
  bool uncounted = false;   // already counted but not sent: leased, or forgiven after a crash (§8.3)
};

/// A new play. The store makes it only if a play is left (§5.3).
[[nodiscard]] Step open(const PlayPolicy& policy, const Extent& medium, Time now) noexcept;

/// Whether a grant of `use` is a repeat (§5.4).
[[nodiscard]] bool is_repeat(const Extent& medium, const ChunkUse& use) noexcept;

/// `heard`: how many chunks of the medium the person has heard.
/// Errors: play_over, stale_epoch, play_expired, unknown_chunk, budget_spent.
[[nodiscard]] Result<Step> grant(const PlayPolicy& policy, const Extent& medium, const Play& play, std::uint64_t epoch,
                                 const ChunkUse& chunk, std::uint32_t heard, Time now);

/// Continues a play that is not over. Older epochs are refused from then on. `moved`: on another installation than the
/// last. Errors: play_over, play_expired, too_many_moves.
[[nodiscard]] Result<Step> resume(const PlayPolicy& policy, const Play& play, bool moved, Time now);

/// Ends a play on request. Errors: play_over, stale_epoch.
[[nodiscard]] Result<Step> close(const Play& play, std::uint64_t epoch);

/// Ends a play whose deadline has passed. Errors: play_over; unexpected_message before the deadline.
[[nodiscard]] Result<Step> expire(const Play& play, Time now);

}  // namespace usher::licence
