#include "wire/extent.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "wire/codec.h"

namespace usher::wire {
namespace {

constexpr std::size_t kRangeSize = 8;  // bytes, encoded

std::uint64_t end_of(const ChunkRange& range) noexcept { return std::uint64_t{range.first} + range.count; }

/// ⌈a · b / c⌉; a and b are below 2^53 and 2^32, c is not 0.
std::uint64_t scaled_up(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(a) * b + c - 1) / c);
}

std::unexpected<Error> bad(std::string_view name) {
  return fail(Fault::malformed, "extent", "the medium's " + std::string(name));
}

}  // namespace

bool contains(const ChunkRanges& ranges, std::uint32_t chunk) noexcept {
  return std::ranges::any_of(ranges, [chunk](const ChunkRange& r) { return chunk >= r.first && chunk < end_of(r); });
}

std::uint64_t count_of(const ChunkRanges& ranges) noexcept {
  std::uint64_t count = 0;
  for (const ChunkRange& range : ranges) count += range.count;
  return count;
}

ChunkRanges ranges_of(const std::vector<std::uint32_t>& chunks) {
  ChunkRanges ranges;
  for (const std::uint32_t chunk : chunks) {
    if (!ranges.empty() && end_of(ranges.back()) == chunk) {
      ++ranges.back().count;
    } else {
      ranges.push_back({.first = chunk, .count = 1});
    }
  }
  return ranges;
}

std::uint32_t Extent::media_chunks() const noexcept {
  return chunks - static_cast<std::uint32_t>(std::min<std::uint64_t>(count_of(structure), chunks));
}

std::uint32_t Extent::chunks_for(std::uint64_t s) const noexcept {
  const std::uint32_t all = media_chunks();
  const auto length = static_cast<std::uint64_t>(duration.count());
  if (s == 0) return 0;
  if (s > length / 1000 || s * 1000 == length) return all;
  if (s <= kTableSeconds) return seconds[s - 1];
  constexpr std::uint64_t kTable = kTableSeconds * 1000;  // milliseconds; here less than the duration
  const std::uint32_t known = seconds.back();
  return known + static_cast<std::uint32_t>(scaled_up(s * 1000 - kTable, all - known, length - kTable));
}

Result<> Extent::check() const {
  constexpr std::int64_t kMaxDuration = (std::int64_t{1} << 53) - 1;  // every JSON reader represents it exactly
  if (duration.count() <= 0 || duration.count() > kMaxDuration) return bad("duration");
  std::uint64_t next = 0;  // the lowest chunk with which the next range may begin
  for (const ChunkRange& range : structure) {
    if (range.count == 0 || range.first < next || end_of(range) > chunks) return bad("structure");
    next = end_of(range) + 1;
  }
  if (structure.size() > kMaxStructureRanges || media_chunks() == 0) return bad("structure");
  if (head > chunks) return bad("head");
  std::uint32_t last = 0;
  for (const std::uint32_t needed : seconds) {
    if (needed < last || needed - last > std::numeric_limits<std::uint16_t>::max()) return bad("table of seconds");
    last = needed;
  }
  if (seconds.front() == 0 || last > media_chunks()) return bad("table of seconds");
  const auto length = static_cast<std::uint64_t>(duration.count());
  const std::uint64_t whole = (length + 999) / 1000;  // the second in which the medium ends
  for (std::uint64_t s = whole; s <= kTableSeconds; ++s) {
    if (seconds[s - 1] != media_chunks()) return bad("table of seconds");
  }
  return {};
}

SecondsTable even_seconds(std::uint32_t media_chunks, Milliseconds duration) noexcept {
  SecondsTable table{};
  const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 1));
  for (std::uint64_t s = 1; s <= kTableSeconds; ++s) {
    table[s - 1] =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(media_chunks, scaled_up(s * 1000, media_chunks, length)));
  }
  return table;
}

Bytes encode_ranges(const ChunkRanges& ranges) {
  Writer out;
  for (const ChunkRange& range : ranges) out.u32(range.first).u32(range.count);
  return out.take();
}

Result<ChunkRanges> decode_ranges(View bytes, std::size_t max) {
  if (bytes.size() > max * kRangeSize) return fail(Fault::malformed, "ranges");
  Reader in(bytes, "ranges");
  ChunkRanges ranges;
  std::uint64_t next = 0;
  while (in.ok() && !in.empty()) {
    const ChunkRange range{.first = in.u32(), .count = in.u32()};
    if (range.count == 0 || range.first < next) in.refuse();
    next = end_of(range) + 1;
    ranges.push_back(range);
  }
  USHER_CHECK(in.finish());
  return ranges;
}

Bytes encode_seconds(const SecondsTable& table) {
  Writer out;
  std::uint32_t last = 0;
  for (const std::uint32_t needed : table) out.u16(static_cast<std::uint16_t>(needed - std::exchange(last, needed)));
  return out.take();
}

Result<SecondsTable> decode_seconds(View bytes) {
  Reader in(bytes, "seconds");
  SecondsTable table{};
  std::uint32_t last = 0;
  for (std::uint32_t& needed : table) needed = last += in.u16();
  USHER_CHECK(in.finish());
  return table;
}

}  // namespace usher::wire
