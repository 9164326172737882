// server/runtime/log: a log with one line per event: text on a terminal, JSON otherwise.
// Fields: docs/reference/log-and-metrics.md, "Log".
//
// A line never contains keys, passphrases, the civil number, titles of media, or unchecked bytes of a peer.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace usher::server {

enum class Level : std::uint8_t { debug, info, warning, error };

struct Field {
  Field(std::string_view name_, std::string_view value_) : name(name_), value(value_) {}
  template <std::integral T>
  Field(std::string_view name_, T value_) : name(name_), value(std::to_string(value_)), number(true) {}
  std::string_view name;
  std::string value;
  bool number = false;
};
using Fields = std::initializer_list<Field>;

enum class LogFormat : std::uint8_t { automatic, text, json };

/// Thread-safe.
class Log {
 public:
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(Level level) const noexcept = 0;
  virtual void write(Level level, std::string_view event, Fields fields) = 0;

  void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
  void warning(std::string_view event, Fields fields = {}) { write(Level::warning, event, fields); }
  void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }
};

/// Limits the lines about an event that a stranger can cause as often as they like, so that they cannot fill the disk
/// with the log. Thread-safe.
class LogLimit {
 public:
  /// `lines`: allowed in each minute.
  explicit LogLimit(std::uint32_t lines) : lines_(lines) {}
  /// For one event: the number of earlier events that were not logged since the last line; nullopt: do not log this
  /// one.
  [[nodiscard]] std::optional<std::uint64_t> take(Time now);

 private:
  std::mutex mutex_;
  std::uint32_t lines_;
  std::uint32_t used_ = 0;  // in this minute
  std::uint64_t dropped_ = 0;
  Time minute_{};  // its beginning
};

/// Writes to stderr. automatic: text if stderr is a terminal, else JSON.
[[nodiscard]] std::unique_ptr<Log> make_log(Level level, LogFormat format);
/// A log that drops everything.
[[nodiscard]] std::unique_ptr<Log> make_silent_log();

/// One line without its newline, in each of the two formats (for tests). `time`: RFC 3339.
[[nodiscard]] std::string text_line(Level level, std::string_view event, Fields fields, std::string_view time);
[[nodiscard]] std::string json_line(Level level, std::string_view event, Fields fields, std::string_view time);

}  // namespace usher::server
