// client/play/player: the program that turns the bytes of a medium into sound.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "media/manifest.h"

namespace usher::client {

/// One run of a player on one stream of bytes. One thread calls write() and finish(), another thread the rest.
class Player {
 public:
  virtual ~Player() = default;

  /// Waits until the player has read all of `bytes`: this is the back-pressure. Gives up when `stop` is true.
  /// Errors: player_failed (it ended, or closed its input), cancelled.
  [[nodiscard]] virtual Result<> write(View bytes, const std::atomic<bool>& stop) = 0;
  /// The stream is complete: closes the player's input.
  virtual void finish() = 0;

  /// Reads the player's output, for at most `milliseconds`. True once the player has ended.
  [[nodiscard]] virtual bool poll(int milliseconds) = 0;
  /// Whether the player succeeded. Precondition: poll() has returned true. Errors: player_failed, with the player's
  /// messages.
  [[nodiscard]] virtual Result<> verdict() const = 0;

  /// Seconds on the player's own clock; empty if the player does not report it.
  [[nodiscard]] virtual std::optional<double> clock() const = 0;
  /// Pauses the sound, or continues it. False: this player cannot pause.
  virtual bool pause(bool paused) = 0;
  /// Ends the player at once.
  virtual void kill() = 0;
};

enum class PlayerKind : std::uint8_t { ffplay, mpv, other, standard_output };

/// `--player`: ffplay, mpv, "-" (standard output), or the path of a program that plays its standard input.
struct PlayerSpec {
  std::string command = "ffplay";
  bool video = false;  // the medium has a picture, and there is a screen to show it on
  [[nodiscard]] PlayerKind kind() const;
  /// The program and its arguments; empty for standard output.
  [[nodiscard]] std::vector<std::string> arguments() const;
};

/// Checks whether the player can show this kind of medium. Call it before a play is opened. Sets `spec.video`.
/// Errors: no_screen (a video for ffplay or mpv where `screen` is false).
[[nodiscard]] Result<> check_screen(PlayerSpec& spec, media::MediaKind kind, bool screen);

/// For "-": refuses a regular file, a block device and a terminal as output. Call it before a play is opened.
/// Errors: unsafe_output; for a program: player_missing.
[[nodiscard]] Result<> check_player(const PlayerSpec& spec, int output = 1);

/// Starts a subprocess without a shell, in a process group of its own. It ends when the thread that started it ends.
/// Errors: player_missing; unsafe_output.
[[nodiscard]] Result<std::unique_ptr<Player>> start_player(const PlayerSpec& spec, int output = 1);

/// Parses what a player prints: takes the clock from the status lines, and keeps other lines for people.
class PlayerOutput {
 public:
  explicit PlayerOutput(PlayerKind kind) : kind_(kind) {}
  void add(std::string_view text);
  [[nodiscard]] std::optional<double> clock() const noexcept { return clock_; }
  /// The first and the last line that are not status lines, shortened, and how many more there were; safe to print, on
  /// one line. Lines in which a library traces its own failure (ALSA prints a dozen) are included only if there are no
  /// others. Empty if there were no such lines.
  [[nodiscard]] std::string said() const;

 private:
  void line(std::string_view text);
  PlayerKind kind_;
  std::optional<double> clock_;
  std::string partial_;
  std::vector<std::string> lines_;
  std::size_t heard_ = 0;    // lines that are not status lines
  bool only_traces_ = true;  // lines_ has only trace lines
};

}  // namespace usher::client
