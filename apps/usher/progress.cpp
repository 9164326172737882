#include "progress.h"

#include <array>
#include <cmath>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "base/display.h"
#include "base/encoding.h"
#include "client/terminal/terminal.h"
#include "console.h"

namespace usher::cli {
namespace {

using namespace std::chrono_literals;

std::string size_text(double bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

}  // namespace

std::string progress_text(std::string_view name, std::uint64_t begun, std::uint64_t done, std::uint64_t total,
                          std::chrono::duration<double> took, std::size_t columns) {
  constexpr std::size_t kLeastName = 8;  // columns
  const auto bytes = static_cast<double>(done);
  const double rate = took > 0.2s ? static_cast<double>(done - begun) / took.count() : 0;
  std::vector<std::string> parts;
  if (total > 0)
    parts.push_back(fmt::format("{:.0f} %", std::min(100.0, std::floor(bytes * 100 / static_cast<double>(total)))));
  parts.push_back(size_text(bytes));
  if (total > 0) parts.back() += " of " + size_text(static_cast<double>(std::max(done, total)));
  if (rate > 0) parts.push_back(size_text(rate) + "/s");
  if (rate > 0 && total > done) {
    const double left = static_cast<double>(total - done) / rate;
    if (left < 1e6) parts.push_back(client::clock_text(static_cast<std::uint64_t>(left * 1000)) + " left");
  }
  // Cuts the name first; then leaves out the last parts.
  const std::string shown = printable(name);
  std::string text;
  for (const std::string& part : parts) {
    const std::size_t least = std::min(kLeastName, columns_of(shown)) + columns_of(text) + 3 + columns_of(part);
    if (!text.empty() && least > columns) break;
    text += "   " + part;
  }
  return cut(shown, columns == kAnyWidth ? columns : columns - std::min(columns, columns_of(text))) + text;
}

ProgressLine::ProgressLine(const Options& options, std::string name)
    : name_(std::move(name)),
      on_terminal_(!options.quiet && ::isatty(STDERR_FILENO) == 1),
      lines_(!options.quiet && options.progress && !on_terminal_) {}

ProgressLine::~ProgressLine() {
  if (on_terminal_ && last_) clear_status();
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total) {
  if (!shown()) return;
  const Clock::time_point now = Clock::now();
  if (!begun_) {
    begun_ = done;
    start_ = now;
  }
  if (last_ && now - *last_ < (on_terminal_ ? 100ms : 1000ms)) return;
  last_ = now;
  const std::string text =
      progress_text(name_, *begun_, done, total, now - start_, on_terminal_ ? status_columns() : kAnyWidth);
  if (on_terminal_) {
    show_status(text);
  } else {
    tell(text);
  }
}

}  // namespace usher::cli
