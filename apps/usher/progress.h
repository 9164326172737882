// usher/progress: shows the progress of a transfer on a terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/display.h"
#include "session.h"

namespace usher::cli {

/// "song.flac   45 %   120.0 MB of 266.7 MB   80.3 MB/s   0:02 left": the parts that are known. At most `columns` wide:
/// the name is cut first, then the last parts are left out. `total`: 0 if unknown. `begun`: bytes that existed before
/// this transfer.
[[nodiscard]] std::string progress_text(std::string_view name, std::uint64_t begun, std::uint64_t done,
                                        std::uint64_t total, std::chrono::duration<double> took,
                                        std::size_t columns = kAnyWidth);

/// A line on stderr that is overwritten at most ten times a second. If stderr is no terminal: no output, or with
/// --progress one line a second.
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

}  // namespace usher::cli
