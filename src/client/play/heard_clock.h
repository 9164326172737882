// client/play/heard_clock: counts how much of a medium was heard in one play.  Spec: licence.md §5.7.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace usher::client {

/// Milliseconds of the medium that the player has played. A passage that was heard twice counts once.
class HeardClock {
 public:
  static constexpr std::size_t kMaxSpans = 64;
  struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool operator==(const Span&) const = default;
  };

  /// Records that the span from `from` to `to` was heard. Does nothing if `to` is not after `from`.
  void add(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::uint64_t heard_ms() const noexcept { return heard_; }
  /// Ascending, with gaps between them. If there are more than kMaxSpans, the two nearest are merged. The gap between
  /// them no longer counts when it is heard later. This is to the listener's advantage.
  [[nodiscard]] const std::vector<Span>& spans() const noexcept { return spans_; }

  /// "12000:0-10000,30000-32000,": the total, then the spans, as stored in the play's file.
  [[nodiscard]] std::string text() const;
  /// Errors: malformed.
  [[nodiscard]] static Result<HeardClock> from_text(std::string_view text);

 private:
  std::uint64_t heard_ = 0;
  std::vector<Span> spans_;
};

}  // namespace usher::client
