// client/terminal/terminal: reads keys while a medium plays, and formats times and plays for people.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace usher::client {

/// Digits and the colon, with which the user types a time, have the values of their characters.
enum class Key : std::uint8_t {
  pause = ' ',
  back = '<',
  forward = '>',
  quit = 'q',
  enter = '\n',
  erase = '\b',
  colon = ':'
};
[[nodiscard]] inline bool is_of_time(Key key) noexcept {
  return key == Key::colon || (key >= Key{'0'} && key <= Key{'9'});
}

/// Recognises space; left and right arrow; q; digits, colon, Enter, Backspace. Ignores everything else. An escape
/// sequence may arrive in two parts.
class KeyReader {
 public:
  [[nodiscard]] std::vector<Key> read(std::string_view typed);

 private:
  std::string escape_;  // the beginning of an incomplete sequence
};

/// While this lives, the terminal delivers each key at once, without echo. Keys still send signals, except Ctrl-Z,
/// which would stop usher but not the player.
class RawTerminal {
 public:
  /// Null if the descriptor is not a terminal, or this process is in the terminal's background.
  [[nodiscard]] static std::unique_ptr<RawTerminal> open(int descriptor);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  /// The keys that were pressed since the last call. Does not wait.
  [[nodiscard]] std::vector<Key> keys();

 private:
  struct State;
  explicit RawTerminal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "2:05", "1:02:05".
[[nodiscard]] std::string clock_text(std::uint64_t milliseconds);
/// Milliseconds for "83", "1:23" or "1:02:03"; empty for any other text.
[[nodiscard]] std::optional<std::uint64_t> time_of_text(std::string_view text);
/// "3 plays left", "1 play left", "any number of plays until 2030-01-31 12:00 UTC".
[[nodiscard]] std::string plays_text(std::uint32_t plays_left, std::uint64_t usable_until);
/// "2030-01-31 12:00 UTC"; empty for 0.
[[nodiscard]] std::string time_text(std::uint64_t unix_seconds);

}  // namespace usher::client
