// client/play/play_clock: the player's position in the medium, from the player's own clock and from what it was given.
// Pure: the time is an argument.  Spec: licence.md §5.7.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace usher::client {

/// What the listener hears, for the progress line.
enum class Flow : std::uint8_t {
  playing,
  waiting,  // everything that was given has been played; waiting for the server
  silent,   // the player has enough data and does not play
};

/// The progress of the feed.
struct Given {
  enum class Need : std::uint8_t {
    player,   // the feed waits for the player to read
    limit,    // the player has taken all that it may have now
    server,   // the feed waits for the server
    held,     // the next chunk is not requested yet, since it would make the play count
    nothing,  // the player was given everything
  };
  std::uint64_t ms = 0;  // media time of everything given
  Need need = Need::player;
};

class PlayClock {
 public:
  struct Step {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };

  /// The player was started at `start_ms` of the medium; `now` is from any monotonic clock.
  PlayClock(std::uint64_t start_ms, Milliseconds now)
      : start_(start_ms), position_(start_ms), moved_(now), last_(now) {}

  /// Updates the position. `shown`: the player's own clock in seconds; empty: unknown. Returns the span that was played
  /// since the last call.
  Step look(std::optional<double> shown, const Given& given, bool paused, Milliseconds now);
  /// The same for a player without a clock: everything that it was given counts as played.
  Step look_taken(const Given& given, Milliseconds now);

  /// Milliseconds of the medium. Never beyond what was given; never decreases.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// Whether this player has played something.
  [[nodiscard]] bool begun() const noexcept { return position_ != start_; }
  /// Milliseconds that this player must be given beyond the usual amount. Grows while the player has taken all that it
  /// may have and does not play. When the player plays again, it falls back to what the player needed to begin.
  [[nodiscard]] std::uint64_t more() const noexcept { return more_; }
  [[nodiscard]] Flow flow() const noexcept { return flow_; }

 private:
  [[nodiscard]] std::uint64_t place_of(double shown);
  void judge(const Given& given, Milliseconds now);

  std::uint64_t start_;
  std::uint64_t position_;
  std::uint64_t more_ = 0;
  std::uint64_t to_begin_ = 0;           // `more_` when the player began
  std::optional<bool> absolute_;         // the player's clock: true: the medium's time; false: time since its start
  std::optional<std::uint64_t> jumped_;  // a position far ahead that the player showed once
  Milliseconds moved_;                   // when the position last changed, or the player was paused
  Milliseconds last_;
  std::optional<Milliseconds> stepped_;  // when `more_` last grew
  Flow flow_ = Flow::playing;
};

}  // namespace usher::client
