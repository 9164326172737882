#include "licence/counting.h"

#include <algorithm>
#include <limits>

namespace usher::licence {
namespace {

/// Chunks in `time` at the medium's mean rate, rounded down; `rest`: whether rounding cut something off.
struct Share {
  std::uint64_t whole = 0;
  bool rest = false;
};
Share share_of(const Extent& medium, Seconds time) noexcept {
  const auto product = static_cast<std::uint64_t>(Milliseconds(time).count()) * medium.chunks;  // below 2^50
  const auto duration = static_cast<std::uint64_t>(std::max<std::int64_t>(medium.duration.count(), 1));
  return {.whole = product / duration, .rest = product % duration != 0};
}

/// The last second t, up to `end`, with c(t) ≤ `chunks`.
std::uint64_t seconds_within(const Extent& medium, std::uint32_t chunks, std::uint64_t end) noexcept {
  std::uint64_t low = 0;  // c(0) = 0
  std::uint64_t high = end;
  while (low < high) {  // c never falls
    const std::uint64_t middle = high - (high - low) / 2;
    if (medium.chunks_for(middle) <= chunks) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace

FreePart free_part(const Extent& medium, Seconds commit_after) noexcept {
  if (commit_after.count() <= 0) return {};
  const auto wanted = static_cast<std::uint64_t>((commit_after + kBuffer).count());
  const std::uint32_t all_of_it = medium.chunks_for(wanted);
  const std::uint32_t half = medium.media_chunks() / 2;
  if (all_of_it <= half) return {.chunks = all_of_it, .promise = commit_after};
  const auto within = Milliseconds(Seconds(seconds_within(medium, half, wanted)));
  return {.chunks = half,
          .promise = std::min<Milliseconds>(commit_after, within - std::min<Milliseconds>(kBuffer, within / 4))};
}

std::uint32_t repeats_of(const Extent& medium) noexcept {
  const Share seconds = share_of(medium, kRepeatSeconds);
  const std::uint64_t by_time = seconds.whole + (seconds.rest ? 1 : 0);
  const std::uint64_t repeats = std::max<std::uint64_t>({medium.chunks, kMinRepeats, by_time});
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(repeats, std::numeric_limits<std::uint32_t>::max()));
}

std::uint32_t lease_of(const Extent& medium) noexcept {
  const std::uint64_t seconds = share_of(medium, kLeaseSeconds).whole;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(seconds, 1, kMaxLease));
}

}  // namespace usher::licence
