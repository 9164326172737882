#include "server/runtime/log.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/chrono.h>
#include <unistd.h>

#include "base/encoding.h"

namespace usher::server {
namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

/// RFC 8259 §7. printable() has replaced control characters, so that only two characters need escaping.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_plain(std::string_view text) { return !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos; }

std::string time_text() {
  // house-rule(wall-clock): when a line was written, and nothing that is decided by it.
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis);
}

class StderrLog final : public Log {
 public:
  StderrLog(Level least, bool json) : least_(least), json_(json) {}
  bool enabled(Level level) const noexcept override { return level >= least_; }
  void write(Level level, std::string_view event, Fields fields) override {
    if (!enabled(level)) return;
    const std::string time = time_text();
    const std::string line =
        (json_ ? json_line(level, event, fields, time) : text_line(level, event, fields, time)) + '\n';
    // stderr has no buffer: one call writes the whole line, and no other thread's line comes in between.
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

 private:
  Level least_;
  bool json_;
};

class SilentLog final : public Log {
 public:
  bool enabled(Level) const noexcept override { return false; }
  void write(Level, std::string_view, Fields) override {}
};

}  // namespace

std::string text_line(Level level, std::string_view event, Fields fields, std::string_view time) {
  std::string line = fmt::format("{} {:<7} {}", time, name_of(level), event);
  for (const Field& field : fields) {
    line += fmt::format("  {}={}", field.name, is_plain(field.value) ? printable(field.value) : json_text(field.value));
  }
  return line;
}

std::string json_line(Level level, std::string_view event, Fields fields, std::string_view time) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", time, name_of(level), json_text(event));
  for (const Field& field : fields) {
    line += fmt::format(",{}:{}", json_text(field.name), field.number ? field.value : json_text(field.value));
  }
  return line + '}';
}

std::optional<std::uint64_t> LogLimit::take(Time now) {
  const std::scoped_lock lock(mutex_);
  if (now - minute_ >= std::chrono::minutes(1) || now < minute_) {
    minute_ = now;
    used_ = 0;
  }
  if (used_ == lines_) {
    ++dropped_;
    return std::nullopt;
  }
  ++used_;
  return std::exchange(dropped_, 0);
}

std::unique_ptr<Log> make_log(Level level, LogFormat format) {
  const bool json = format == LogFormat::automatic ? ::isatty(STDERR_FILENO) == 0 : format == LogFormat::json;
  return std::make_unique<StderrLog>(level, json);
}

std::unique_ptr<Log> make_silent_log() { return std::make_unique<SilentLog>(); }

}  // namespace usher::server
