// client/play_clock: where in the medium the player is, from what it says and what it was given. Pure: the time is an
// argument.  Spec: licence.md §5.7.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace usher::client {

/// What the listener hears, for the line.
enum class Flow : std::uint8_t {
  playing,
  waiting,  // everything that was given was played; the server is waited for
  silent,   // the player has plenty and does not play
};

/// How far the feeding has come.
struct Given {
  enum class Need : std::uint8_t {
    player,   // takes what it is given
    limit,    // has taken all that it may have now
    server,   // is waited for
    held,     // the next chunk is not asked for yet, since it would make the play count
    nothing,  // was given everything
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

  /// The player was started at `start_ms` of the medium; `now` is any clock that is never set.
  PlayClock(std::uint64_t start_ms, Milliseconds now)
      : start_(start_ms), position_(start_ms), moved_(now), last_(now) {}

  /// A look at the player: `shown` is its own clock in seconds. What it played since the last look.
  Step look(std::optional<double> shown, const Given& given, bool paused, Milliseconds now);
  /// The same for a player without a clock: what it was given, it played.
  Step look_taken(const Given& given, Milliseconds now);

  /// Milliseconds of the medium; never beyond what was given, never back.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// Whether this player has played something.
  [[nodiscard]] bool begun() const noexcept { return position_ != start_; }
  /// Milliseconds that this player has to be given beyond the usual: it grows while the player has taken all that it may
  /// have and does not play. Once it plays again, it is what the player needed to begin.
  [[nodiscard]] std::uint64_t more() const noexcept { return more_; }
  [[nodiscard]] Flow flow() const noexcept { return flow_; }

 private:
  [[nodiscard]] std::uint64_t place_of(double shown);
  void judge(const Given& given, Milliseconds now);

  std::uint64_t start_;
  std::uint64_t position_;
  std::uint64_t more_ = 0;
  std::uint64_t to_begin_ = 0;           // what `more_` was when it began
  std::optional<bool> absolute_;         // whether the player's clock shows the medium's time, or that since its start
  std::optional<std::uint64_t> jumped_;  // a place far ahead that was shown once
  Milliseconds moved_;                   // when the position changed, or could not
  Milliseconds last_;
  std::optional<Milliseconds> stepped_;  // when `more_` grew
  Flow flow_ = Flow::playing;
};

}  // namespace usher::client
