#include "progress.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <unistd.h>

#include "base/display.h"
#include "base/encoding.h"
#include "common/output.h"

namespace usher::press {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int) { interrupted = 1; }

class Line {
 public:
  explicit Line(const std::string& what) : what_(printable(what)), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Line() {
    if (percent_ >= 0) std::fputs("\r\x1b[K", stderr);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void show(std::uint64_t done, std::uint64_t total) {
    const int percent =
        total == 0 ? 100 : static_cast<int>(static_cast<double>(done) * 100 / static_cast<double>(total));
    if (!shown_ || percent == percent_) return;
    percent_ = percent;
    constexpr std::size_t kNumber = 8;  // columns for the percentage and the last column, which stays free
    const std::size_t columns = app::terminal_columns(STDERR_FILENO);
    const std::string name = cut(what_, columns == kAnyWidth ? 72 : std::max(columns, kNumber) - kNumber);
    std::fprintf(stderr, "\r\x1b[K%s  %d %%", name.c_str(), percent);
  }

 private:
  std::string what_;
  bool shown_;
  int percent_ = -1;
};

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;  // no SA_RESTART: the signal must interrupt a prompt too
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool was_interrupted() noexcept { return interrupted != 0; }

media::Progress progress_line(const std::string& what) {
  return [line = std::make_shared<Line>(what)](std::uint64_t done, std::uint64_t total) {
    line->show(done, total);
    return interrupted == 0;
  };
}

}  // namespace usher::press
