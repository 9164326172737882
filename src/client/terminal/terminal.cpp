#include "client/terminal/terminal.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <fmt/format.h>

#include "wire/api.h"

namespace usher::client {

std::vector<Key> KeyReader::read(std::string_view typed) {
  std::vector<Key> keys;
  for (const char c : typed) {
    if (c == '\x1b') {
      escape_.assign(1, c);
    } else if (!escape_.empty()) {
      escape_ += c;
      if (escape_.size() == 2 && (c == '[' || c == 'O')) continue;  // CSI or SS3: more follows
      if (escape_.size() > 2 && !(c >= '@' && c <= '~')) {          // parameters
        if (escape_.size() > 16) escape_.clear();
        continue;
      }
      if (escape_.size() > 2 && c == 'D') keys.push_back(Key::back);
      if (escape_.size() > 2 && c == 'C') keys.push_back(Key::forward);
      escape_.clear();
    } else if (c == ' ') {
      keys.push_back(Key::pause);
    } else if (c == 'q' || c == 'Q') {
      keys.push_back(Key::quit);
    } else if (c == '\n' || c == '\r') {
      keys.push_back(Key::enter);
    } else if (c == '\b' || c == '\x7f') {
      keys.push_back(Key::erase);
    } else if (const Key key{static_cast<std::uint8_t>(c)}; is_of_time(key)) {
      keys.push_back(key);
    }
  }
  return keys;
}

struct RawTerminal::State {
  int descriptor = -1;
  termios before{};
  KeyReader reader;

  /// In the background, reading or changing the terminal would stop this process.
  [[nodiscard]] bool in_foreground() const { return ::tcgetpgrp(descriptor) == ::getpgrp(); }
  bool begin() const {
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    return ::tcsetattr(descriptor, TCSADRAIN, &raw) == 0;
  }
  /// Begins anew if a shell turned line mode on while this process was stopped.
  void begin_again() const {
    termios now{};
    if (::tcgetattr(descriptor, &now) == 0 && (now.c_lflag & ICANON) != 0) begin();
  }
};

RawTerminal::RawTerminal(std::unique_ptr<State> state) : state_(std::move(state)) {}

RawTerminal::~RawTerminal() {
  if (state_->in_foreground()) ::tcsetattr(state_->descriptor, TCSADRAIN, &state_->before);
}

std::unique_ptr<RawTerminal> RawTerminal::open(int descriptor) {
  auto state = std::make_unique<State>();
  state->descriptor = descriptor;
  if (::isatty(descriptor) != 1 || !state->in_foreground()) return nullptr;
  if (::tcgetattr(descriptor, &state->before) != 0 || !state->begin()) return nullptr;
  return std::unique_ptr<RawTerminal>(new RawTerminal(std::move(state)));
}

std::vector<Key> RawTerminal::keys() {
  if (!state_->in_foreground()) return {};
  state_->begin_again();
  std::array<char, 64> typed{};
  pollfd wait{.fd = state_->descriptor, .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, 0) <= 0) return {};
  const ssize_t got = ::read(state_->descriptor, typed.data(), typed.size());
  if (got <= 0) return {};
  return state_->reader.read({typed.data(), static_cast<std::size_t>(got)});
}

std::string clock_text(std::uint64_t milliseconds) {
  const std::uint64_t seconds = milliseconds / 1000;
  const std::uint64_t hours = seconds / 3600;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, seconds / 60 % 60, seconds % 60);
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::optional<std::uint64_t> time_of_text(std::string_view text) {
  constexpr std::uint64_t kMaxPart = 1'000'000;
  std::uint64_t seconds = 0;
  for (int parts = 1; parts <= 3; ++parts) {
    std::uint64_t part = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (wrong != std::errc{} || part > kMaxPart || (parts > 1 && part > 59)) return std::nullopt;
    seconds = seconds * 60 + part;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return seconds * 1000;
    if (!text.starts_with(':')) return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

std::string time_text(std::uint64_t unix_seconds) {
  if (unix_seconds == 0 || unix_seconds > 253'402'300'799) return {};
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min);
}

std::string plays_text(std::uint32_t plays_left, std::uint64_t usable_until) {
  std::string text = plays_left == wire::kNoLimit
                         ? "any number of plays"
                         : fmt::format("{} {} left", plays_left, plays_left == 1 ? "play" : "plays");
  if (const std::string until = time_text(usable_until); !until.empty()) text += ", until " + until;
  return text;
}

}  // namespace usher::client
