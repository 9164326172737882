#include "client/play/heard_clock.h"

#include <algorithm>
#include <charconv>

namespace usher::client {
namespace {

constexpr std::uint64_t kMaxTime = (std::uint64_t{1} << 53) - 1;  // milliseconds

/// Removes a number, and the character after it, from the front of `text`.
bool take(std::string_view& text, char behind, std::uint64_t& out) {
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (wrong != std::errc{} || out > kMaxTime || used >= text.size() || text[used] != behind) return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

void HeardClock::add(std::uint64_t from, std::uint64_t to) {
  if (to <= from) return;
  std::uint64_t covered = 0;
  Span whole{.from = from, .to = to};
  std::vector<Span> kept;
  for (const Span& span : spans_) {
    if (span.to < from || span.from > to) {
      kept.push_back(span);
      continue;
    }
    covered += std::min(span.to, to) - std::max(span.from, from);
    whole = {.from = std::min(whole.from, span.from), .to = std::max(whole.to, span.to)};
  }
  heard_ += to - from - covered;
  kept.insert(std::ranges::lower_bound(kept, whole.from, {}, &Span::from), whole);
  spans_ = std::move(kept);
  if (spans_.size() <= kMaxSpans) return;
  std::size_t nearest = 1;
  const auto gap = [this](std::size_t i) { return spans_[i].from - spans_[i - 1].to; };
  for (std::size_t i = 2; i < spans_.size(); ++i) nearest = gap(i) < gap(nearest) ? i : nearest;
  spans_[nearest - 1].to = spans_[nearest].to;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(nearest));
}

std::string HeardClock::text() const {
  std::string out = std::to_string(heard_) + ":";
  for (const Span& span : spans_) out += std::to_string(span.from) + "-" + std::to_string(span.to) + ",";
  return out;
}

Result<HeardClock> HeardClock::from_text(std::string_view text) {
  HeardClock clock;
  if (!take(text, ':', clock.heard_)) return fail(Fault::malformed, "own clock");
  std::uint64_t covered = 0;
  while (!text.empty()) {
    Span span;
    const bool good = take(text, '-', span.from) && take(text, ',', span.to) && span.from < span.to &&
                      (clock.spans_.empty() || clock.spans_.back().to < span.from);
    if (!good || clock.spans_.size() == kMaxSpans) return fail(Fault::malformed, "own clock");
    covered += span.to - span.from;
    clock.spans_.push_back(span);
  }
  if (clock.heard_ > covered) return fail(Fault::malformed, "own clock");
  return clock;
}

}  // namespace usher::client
