// client/own_clock: how much of a medium was heard in one play.  Spec: licence.md §5.7.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace usher::client {

/// Milliseconds of the medium that a player has given out; a passage that was heard twice counts once.
class OwnClock {
 public:
  static constexpr std::size_t kMaxSpans = 64;
  struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool operator==(const Span&) const = default;
  };

  /// What is between the two times was heard. Nothing happens if `to` is not after `from`.
  void add(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::uint64_t heard_ms() const noexcept { return heard_; }
  /// Ascending, apart. Where there were too many the two nearest became one: what is between them does not count any
  /// more when it is heard, which is to the listener's advantage.
  [[nodiscard]] const std::vector<Span>& spans() const noexcept { return spans_; }

  /// "12000:0-10000,30000-32000": the whole, and the spans, as the play's file keeps it.
  [[nodiscard]] std::string text() const;
  /// Errors: malformed.
  [[nodiscard]] static Result<OwnClock> from_text(std::string_view text);

 private:
  std::uint64_t heard_ = 0;
  std::vector<Span> spans_;
};

}  // namespace usher::client
