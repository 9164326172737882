// client/player: who turns the bytes of a medium into sound.
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

/// One run of a player over one stream of bytes. write() and finish() belong to one thread, the rest to another.
class Player {
 public:
  virtual ~Player() = default;

  /// Waits until the player has taken all of it: this is the back-pressure. Gives up when `stop` is true.
  /// Errors: player_failed (it ended, or closed its input), cancelled.
  [[nodiscard]] virtual Result<> write(View bytes, const std::atomic<bool>& stop) = 0;
  /// That was all.
  virtual void finish() = 0;

  /// Reads what the player says, for at most `milliseconds`. True once it has ended.
  [[nodiscard]] virtual bool poll(int milliseconds) = 0;
  /// Only after poll() said so: whether it played. Errors: player_failed, with what the player said.
  [[nodiscard]] virtual Result<> verdict() const = 0;

  /// Seconds on the player's own clock; nothing if it does not tell.
  [[nodiscard]] virtual std::optional<double> clock() const = 0;
  /// Stops the sound, or lets it go on. False: this player cannot.
  virtual bool pause(bool paused) = 0;
  /// At once.
  virtual void kill() = 0;
};

enum class PlayerKind : std::uint8_t { ffplay, mpv, other, standard_output };

/// `--player`: ffplay, mpv, "-" (standard output), or the path of a program that plays its standard input.
struct PlayerSpec {
  std::string command = "ffplay";
  bool video = false;  // there is a picture, and a screen to show it on
  [[nodiscard]] PlayerKind kind() const;
  /// The program and its arguments; empty for standard output.
  [[nodiscard]] std::vector<std::string> arguments() const;
};

/// Whether the player can show what the medium is; to be asked before a play is opened. Sets `spec.video`.
/// Errors: no_screen (a video for ffplay or mpv where `screen` is false).
[[nodiscard]] Result<> check_screen(PlayerSpec& spec, media::MediaKind kind, bool screen);

/// For "-": refuses a regular file, a block device and a terminal. To be asked before a play is opened.
/// Errors: unsafe_output; for a program: player_missing.
[[nodiscard]] Result<> check_player(const PlayerSpec& spec, int output = 1);

/// A subprocess without a shell, in a process group of its own, which ends with the thread that started it.
/// Errors: player_missing; unsafe_output.
[[nodiscard]] Result<std::unique_ptr<Player>> start_player(const PlayerSpec& spec, int output = 1);

/// What a player says on stderr: its clock, taken out of the status lines, and the rest, for people.
class PlayerOutput {
 public:
  explicit PlayerOutput(PlayerKind kind) : kind_(kind) {}
  void add(std::string_view text);
  [[nodiscard]] std::optional<double> clock() const noexcept { return clock_; }
  /// The first and the last line that are no status, cut, and how many more there were; safe to print, on one line.
  /// Lines with which a library traces its own failure (ALSA has a dozen of them) are told where there is no other.
  /// Empty if there were none.
  [[nodiscard]] std::string said() const;

 private:
  void line(std::string_view text);
  PlayerKind kind_;
  std::optional<double> clock_;
  std::string partial_;
  std::vector<std::string> lines_;
  std::size_t heard_ = 0;    // lines that are no status
  bool only_traces_ = true;  // in lines_
};

}  // namespace usher::client
