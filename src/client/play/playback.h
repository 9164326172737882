// client/play/playback: plays a medium from the fetcher in a player, with pause, seek and quit.
#pragma once

#include <atomic>

#include "client/play/fetcher.h"
#include "client/play/heard_clock.h"
#include "client/play/play_clock.h"
#include "client/play/player.h"
#include "client/terminal/terminal.h"

namespace usher::client {

struct PlayPosition {
  std::uint64_t elapsed_ms = 0;
  std::uint64_t total_ms = 0;
  bool paused = false;
  Flow flow = Flow::playing;
  CountsFrom counts{};
  std::optional<std::uint64_t> going_to{};  // the position that the user is choosing, ms
  std::string typed{};                      // the part of a time that the user has typed
};

/// The user interface of the playback: the terminal, or a test. Called from the thread that plays.
class PlaybackView {
 public:
  virtual ~PlaybackView() = default;
  /// Called a few times a second.
  virtual void position(const PlayPosition& now) = 0;
  /// The keys that were pressed since the last call.
  [[nodiscard]] virtual std::vector<Key> keys() = 0;
  virtual void note(std::string_view sentence) = 0;
};

struct PlaybackSetup {
  PlayerSpec player{};
  std::uint64_t start_ms = 0;
  const std::atomic<bool>* interrupted = nullptr;  // true: quit
  int output = 1;                                  // the descriptor that the player "-" writes to
  HeardClock* own = nullptr;                       // continues it; null: starts a new one
  std::function<bool()> troubled{};                // whether there was trouble with the server; empty: never
  /// For tests: starts another player than `player`, and reads another clock than the machine's. Empty: the usual ones.
  std::function<Result<std::unique_ptr<Player>>()> start{};
  std::function<Milliseconds()> now{};
};

struct PlaybackEnd {
  bool finished = false;  // played to the medium's end; otherwise the listener quit
  std::uint64_t elapsed_ms = 0;
};

/// Plays until the end, a quit or an error.
/// Errors: the player's; those of fetching a chunk, after everything before it was played; unsafe_output.
[[nodiscard]] Result<PlaybackEnd> play_back(Fetcher& fetcher, const PlaybackSetup& setup, PlaybackView& view);

}  // namespace usher::client
