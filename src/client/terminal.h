// client/terminal: keys while something plays, and lines for people.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace usher::client {

/// Digits and the colon, of a time that is typed, are their characters.
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

/// Space; left and right arrow; q; digits, colon, Enter, Backspace. Everything else is ignored, also escape sequences
/// cut in two.
class KeyReader {
 public:
  [[nodiscard]] std::vector<Key> read(std::string_view typed);

 private:
  std::string escape_;  // of a sequence that has begun
};

/// The terminal gives each key at once, unseen, while this lives. Signals from keys still come, but for Ctrl-Z, which
/// would stop usher and not the player.
class RawTerminal {
 public:
  /// Nothing if the descriptor is no terminal, or this process is in its background.
  [[nodiscard]] static std::unique_ptr<RawTerminal> open(int descriptor);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  /// What was typed since, without waiting.
  [[nodiscard]] std::vector<Key> keys();

 private:
  struct State;
  explicit RawTerminal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "2:05", "1:02:05".
[[nodiscard]] std::string clock_text(std::uint64_t milliseconds);
/// Milliseconds that "83", "1:23" or "1:02:03" names; nothing if it is none of these.
[[nodiscard]] std::optional<std::uint64_t> time_of_text(std::string_view text);
/// "3 plays left", "1 play left", "any number of plays until 2030-01-31 12:00 UTC".
[[nodiscard]] std::string plays_text(std::uint32_t plays_left, std::uint64_t usable_until);
/// "2030-01-31 12:00 UTC"; empty for 0.
[[nodiscard]] std::string time_text(std::uint64_t unix_seconds);

}  // namespace usher::client
