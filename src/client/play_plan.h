// client/play_plan: which chunks of a play are asked for now, and what that costs. Knows no server, thread or clock.
// Spec: licence.md §5.2, §5.7.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client/seek.h"
#include "licence/counting.h"
#include "wire/api.h"

namespace usher::client {

inline constexpr std::uint32_t kLastRepeats = 64;  // chunks: with fewer left, no seek that needs repeats
inline constexpr Seconds kLookAheadInTrouble{4};   // in place of licence::kLookAhead
inline constexpr std::uint32_t kFewestAhead = 2;   // chunks

/// What one more request for a chunk does.
enum class Price : std::uint8_t { nothing, of_the_free_part, a_repeat, the_play };

/// Where the listener is.
struct Moment {
  std::uint64_t clock_ms = 0;  // the player's place in the medium
  std::uint64_t own_ms = 0;    // own clock
  std::uint64_t more_ms = 0;   // that this player needs beyond the usual, since it does not play otherwise
  bool begun = true;           // this player has played something
  bool troubled = false;       // there was trouble with the server in this play
};

/// When the play begins to count, as far as it can be told beforehand.
struct CountsFrom {
  enum class Kind : std::uint8_t {
    never,      // nothing is counted, or what is left to hear was heard before
    time,       // once the listener has come to `ms`
    first_new,  // with the first second that was not heard before
    already,
  };
  Kind kind = Kind::never;
  std::uint64_t ms = 0;
  bool operator==(const CountsFrom&) const = default;
};

/// What starting at a place would do.
struct StartCost {
  bool counts = false;        // the play would count with it, and does not yet
  std::uint32_t repeats = 0;  // chunks asked for once more
};

/// One play's chunks. Not thread-safe.
class PlayPlan {
 public:
  /// Of a medium where nothing is counted: tests, and programs that look at sealed media.
  explicit PlayPlan(const media::Manifest& manifest);
  /// `asked`: chunks that earlier processes asked for in this play, as far as known.
  PlayPlan(const media::Manifest& manifest, const wire::Opened& opened, const wire::ChunkRanges& asked);

  /// The server said how things stand. `under_way`: chunks that are being asked for.
  void standing(const wire::Opened& opened, const std::vector<std::uint32_t>& under_way);
  void at(const Moment& now) { now_ = now; }

  [[nodiscard]] Price price_of(std::uint32_t chunk) const;
  /// Whether it may be asked for now, although it may make the play count.
  [[nodiscard]] bool may_ask(std::uint32_t chunk) const;
  /// It is asked for: pays the price.
  void ask(std::uint32_t chunk);
  /// The first chunk that the look-ahead does not reach.
  [[nodiscard]] std::uint32_t end() const;
  /// Bytes of the medium before which everything may be given to the player now.
  [[nodiscard]] std::uint64_t giving_end() const;

  using InHand = std::function<bool(std::uint32_t chunk)>;
  [[nodiscard]] CountsFrom counts_from(const InHand& in_hand) const;
  [[nodiscard]] StartCost cost_of(const StartPoint& start, const InHand& in_hand) const;
  /// `start`, or the first place after it that there are enough repeats for: so a play is never stuck. `start` where
  /// there is none.
  [[nodiscard]] StartPoint within_repeats(const StartPoint& start) const;

  [[nodiscard]] const Timeline& timeline() const noexcept { return timeline_; }
  [[nodiscard]] bool committed() const noexcept { return committed_; }
  [[nodiscard]] std::uint32_t free_left() const noexcept { return free_left_; }
  [[nodiscard]] std::uint32_t repeats_left() const noexcept { return repeats_left_; }
  /// T, licence.md §5.2.
  [[nodiscard]] Milliseconds promise() const noexcept { return promise_; }
  /// All that was asked for in this play.
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
  bool spent_ = false;  // nothing was free any more when the play was opened: it counts with the first new second
  std::uint32_t free_left_ = 0;
  std::uint32_t repeats_left_ = ~std::uint32_t{0};
  Milliseconds promise_{0};
  std::vector<bool> heard_;
  std::vector<bool> asked_;
  Moment now_{};
};

}  // namespace usher::client
