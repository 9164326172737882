// client/seek: which bytes of a medium belong to which time, by the signed index.  Spec: release.md §2.6.
#pragma once

#include "media/manifest.h"

namespace usher::client {

/// A new player is given the first `head` bytes, and then everything from `offset` on.
struct StartPoint {
  std::uint64_t head = 0;
  std::uint64_t offset = 0;
  std::uint64_t time_ms = 0;  // what is heard first
};

/// Exact at the manifest's seek points, evenly between them. Times in milliseconds, offsets in bytes.
class Timeline {
 public:
  explicit Timeline(const media::Manifest& manifest);
  /// Where to start to hear what is at `time_ms`: the last point at or before it, or the beginning.
  [[nodiscard]] StartPoint start_at(std::uint64_t time_ms) const;
  /// The next place that one can start from; `start` itself where it is the last one.
  [[nodiscard]] StartPoint next_after(const StartPoint& start) const;
  /// The first byte that is not needed before that time.
  [[nodiscard]] std::uint64_t offset_at(std::uint64_t time_ms) const;
  /// Up to which time a player comes with the bytes before `offset`.
  [[nodiscard]] std::uint64_t time_at(std::uint64_t offset) const;

  [[nodiscard]] std::uint64_t duration() const { return points_.back().time_ms; }
  [[nodiscard]] std::uint64_t size() const { return points_.back().offset; }
  /// Whether there is a place to start from beside the beginning.
  [[nodiscard]] bool can_seek() const { return points_.size() > 2; }

 private:
  std::uint64_t head_;
  std::vector<media::SeekPoint> points_;  // from (0, head) to (duration, size)
};

}  // namespace usher::client
