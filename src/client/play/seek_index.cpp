#include "client/play/seek_index.h"

#include <algorithm>

namespace usher::client {
namespace {

/// a + (b − a) · part / whole, rounded down; the differences are below 2^53.
std::uint64_t between(std::uint64_t a, std::uint64_t b, std::uint64_t part, std::uint64_t whole) {
  __extension__ using Wide = unsigned __int128;
  return whole == 0 ? b : a + static_cast<std::uint64_t>(static_cast<Wide>(b - a) * part / whole);
}

}  // namespace

Timeline::Timeline(const media::Manifest& manifest) : head_(manifest.head) {
  points_.reserve(manifest.seek.size() + 2);
  points_.push_back({.time_ms = 0, .offset = head_});
  for (const media::SeekPoint& point : manifest.seek) points_.push_back(point);
  points_.push_back({.time_ms = manifest.duration_ms, .offset = manifest.size});
}

StartPoint Timeline::start_at(std::uint64_t time_ms) const {
  const auto first = points_.begin() + 1;
  const auto last = points_.end() - 1;
  const auto after = std::ranges::upper_bound(first, last, time_ms, {}, &media::SeekPoint::time_ms);
  if (after == first) return {};
  const media::SeekPoint& point = *(after - 1);
  return {.head = head_, .offset = point.offset, .time_ms = point.time_ms};
}

StartPoint Timeline::next_after(const StartPoint& start) const {
  const auto last = points_.end() - 1;
  const auto next = std::ranges::upper_bound(points_.begin() + 1, last, start.offset, {}, &media::SeekPoint::offset);
  if (next == last) return start;
  return {.head = head_, .offset = next->offset, .time_ms = next->time_ms};
}

std::uint64_t Timeline::offset_at(std::uint64_t time_ms) const {
  if (time_ms >= duration()) return size();
  const auto after = std::ranges::upper_bound(points_, time_ms, {}, &media::SeekPoint::time_ms);
  const media::SeekPoint& a = *(after - 1);
  return between(a.offset, after->offset, time_ms - a.time_ms, after->time_ms - a.time_ms);
}

std::uint64_t Timeline::time_at(std::uint64_t offset) const {
  if (offset >= size()) return duration();
  if (offset <= head_) return 0;
  const auto after = std::ranges::upper_bound(points_, offset, {}, &media::SeekPoint::offset);
  const media::SeekPoint& a = *(after - 1);
  return between(a.time_ms, after->time_ms, offset - a.offset, after->offset - a.offset);
}

}  // namespace usher::client
