// client/play/seek_index: maps times to byte offsets of a medium, by the signed index.  Spec: release.md §2.6.
#pragma once

#include "media/manifest.h"

namespace usher::client {

/// A new player is given the first `head` bytes, and then everything from `offset` on.
struct StartPoint {
  std::uint64_t head = 0;
  std::uint64_t offset = 0;
  std::uint64_t time_ms = 0;  // where the sound begins
};

/// Exact at the manifest's seek points, interpolated linearly between them. Times in milliseconds, offsets in bytes.
class Timeline {
 public:
  explicit Timeline(const media::Manifest& manifest);
  /// Where to start in order to hear `time_ms`: the last seek point at or before it, or the beginning.
  [[nodiscard]] StartPoint start_at(std::uint64_t time_ms) const;
  /// The next start point after `start`; `start` itself if it is the last.
  [[nodiscard]] StartPoint next_after(const StartPoint& start) const;
  /// The first byte that is not needed before that time.
  [[nodiscard]] std::uint64_t offset_at(std::uint64_t time_ms) const;
  /// The time that a player can reach with the bytes before `offset`.
  [[nodiscard]] std::uint64_t time_at(std::uint64_t offset) const;

  [[nodiscard]] std::uint64_t duration() const { return points_.back().time_ms; }
  [[nodiscard]] std::uint64_t size() const { return points_.back().offset; }
  /// Whether there is a start point besides the beginning.
  [[nodiscard]] bool can_seek() const { return points_.size() > 2; }

 private:
  std::uint64_t head_;
  std::vector<media::SeekPoint> points_;  // from (0, head) to (duration, size)
};

}  // namespace usher::client
