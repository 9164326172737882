// client/play/play_plan: decides which chunks of a play to request now, and what that costs. Has no server, thread or
// clock.
// Spec: licence.md §5.2, §5.7.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client/play/seek_index.h"
#include "licence/counting.h"
#include "wire/api.h"

namespace usher::client {

inline constexpr std::uint32_t kLastRepeats = 64;  // chunks: with fewer repeats left, no seek that needs repeats
inline constexpr Seconds kLookAheadInTrouble{4};   // in place of licence::kLookAhead
inline constexpr std::uint32_t kFewestAhead = 2;   // chunks

/// What the next request for a chunk costs.
enum class Price : std::uint8_t { nothing, of_the_free_part, a_repeat, the_play };

/// The listener's position and the state of the player.
struct Moment {
  std::uint64_t clock_ms = 0;  // the player's position in the medium
  std::uint64_t own_ms = 0;    // own clock
  std::uint64_t more_ms = 0;   // what this player needs beyond the usual amount in order to play
  bool begun = true;           // this player has played something
  bool troubled = false;       // there was trouble with the server in this play
};

/// When the play begins to count, as far as it can be predicted.
struct CountsFrom {
  enum class Kind : std::uint8_t {
    never,      // plays are not counted, or the rest of the medium is free
    time,       // when the listener reaches `ms`
    first_new,  // at the first second that was not heard before
    already,
  };
  Kind kind = Kind::never;
  std::uint64_t ms = 0;
  bool operator==(const CountsFrom&) const = default;
};

/// What starting at a position would cost.
struct StartCost {
  bool counts = false;        // the play would begin to count
  std::uint32_t repeats = 0;  // chunks that would be requested again
};

/// One play's chunks. Not thread-safe.
class PlayPlan {
 public:
  /// For a medium whose plays are not counted: for tests, and for programs that read sealed media.
  explicit PlayPlan(const media::Manifest& manifest);
  /// `asked`: chunks that earlier processes requested in this play, as far as known.
  PlayPlan(const media::Manifest& manifest, const wire::Opened& opened, const wire::ChunkRanges& asked);

  /// Updates the play's state from a response of the server. `under_way`: chunks whose requests are in progress.
  void standing(const wire::Opened& opened, const std::vector<std::uint32_t>& under_way);
  void at(const Moment& now) { now_ = now; }

  [[nodiscard]] Price price_of(std::uint32_t chunk) const;
  /// Whether it may be requested now. A chunk that would make the play count may not be requested too early.
  [[nodiscard]] bool may_ask(std::uint32_t chunk) const;
  /// Records that it is requested, and pays the price.
  void ask(std::uint32_t chunk);
  /// The end of the look-ahead: the first chunk after it.
  [[nodiscard]] std::uint32_t end() const;
  /// Offset in the medium in bytes: all bytes before it may be given to the player now.
  [[nodiscard]] std::uint64_t giving_end() const;

  using InHand = std::function<bool(std::uint32_t chunk)>;
  [[nodiscard]] CountsFrom counts_from(const InHand& in_hand) const;
  [[nodiscard]] StartCost cost_of(const StartPoint& start, const InHand& in_hand) const;
  /// `start`, or the first start point after it for which enough repeats are left, so that a play never gets stuck. If
  /// there is no such point: `start`.
  [[nodiscard]] StartPoint within_repeats(const StartPoint& start) const;

  [[nodiscard]] const Timeline& timeline() const noexcept { return timeline_; }
  [[nodiscard]] bool committed() const noexcept { return committed_; }
  [[nodiscard]] std::uint32_t free_left() const noexcept { return free_left_; }
  [[nodiscard]] std::uint32_t repeats_left() const noexcept { return repeats_left_; }
  /// T, licence.md §5.2.
  [[nodiscard]] Milliseconds promise() const noexcept { return promise_; }
  /// All chunks that were requested in this play.
  [[nodiscard]] wire::ChunkRanges asked() const;

 private:
  [[nodiscard]] std::uint32_t chunk_at(std::uint64_t time_ms) const;
  [[nodiscard]] std::uint64_t time_of(std::uint32_t chunk) const;
  [[nodiscard]] std::uint64_t latest_ask(std::uint32_t chunk) const;
  [[nodiscard]] std::uint64_t ahead_ms() const;
  [[nodiscard]] std::vector<std::uint32_t> chunks_of(const StartPoint& start) const;

  Timeline timeline_;
  wire::Extent extent_;
  std::uint32_t chunk_size_;
  bool counted_ = false;  // the licence has a number of plays
  bool committed_ = true;
  bool spent_ = false;  // no free part was left when the play was opened: it counts from the first new second
  std::uint32_t free_left_ = 0;
  std::uint32_t repeats_left_ = ~std::uint32_t{0};
  Milliseconds promise_{0};
  std::vector<bool> heard_;
  std::vector<bool> asked_;
  Moment now_{};
};

}  // namespace usher::client
