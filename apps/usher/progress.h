// usher/progress: how far a transfer is, on a terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/display.h"
#include "session.h"

namespace usher::listening {

/// "song.flac   45 %   120.0 MB of 266.7 MB   80.3 MB/s   0:02 left": what is known of it.
/// At most `columns` wide: the name is cut, then the last words are left out. `total`: 0 if nobody knows it. `begun`: bytes that were there before.
[[nodiscard]] std::string progress_text(std::string_view name, std::uint64_t begun, std::uint64_t done,
                                        std::uint64_t total, std::chrono::duration<double> took,
                                        std::size_t columns = kAnyWidth);

/// A line on stderr that is written over, ten times a second at most; nothing where stderr is no terminal, unless
/// --progress asks for lines, one a second.
class ProgressLine {
 public:
  ProgressLine(const Options& options, std::string name);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  [[nodiscard]] bool shown() const noexcept { return on_terminal_ || lines_; }
  void show(std::uint64_t done, std::uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;
  std::string name_;
  bool on_terminal_;
  bool lines_;
  Clock::time_point start_ = Clock::now();
  std::optional<Clock::time_point> last_{};
  std::optional<std::uint64_t> begun_{};
};

}  // namespace usher::listening
