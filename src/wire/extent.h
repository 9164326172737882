// wire/extent: maps a medium's playing time to its chunks; fair counting needs it.  Spec: release.md §2.5.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace usher::wire {

/// `count` chunks, beginning with chunk `first`.
struct ChunkRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // at least 1

  bool operator==(const ChunkRange&) const = default;
};
using ChunkRanges = std::vector<ChunkRange>;  // ascending, with a gap between two ranges

/// Whether `chunk` is in one of the ranges.
[[nodiscard]] bool contains(const ChunkRanges& ranges, std::uint32_t chunk) noexcept;
[[nodiscard]] std::uint64_t count_of(const ChunkRanges& ranges) noexcept;
/// The ranges that hold `chunks`. Precondition: `chunks` are ascending, each number once.
[[nodiscard]] ChunkRanges ranges_of(const std::vector<std::uint32_t>& chunks);

inline constexpr std::size_t kMaxStructureRanges = 64;
inline constexpr std::size_t kTableSeconds = 256;
/// c(1), c(2), … c(256). c(s) is the number of chunks outside the structure set that the first s seconds need.
using SecondsTable = std::array<std::uint32_t, kTableSeconds>;

struct Extent {
  std::uint32_t chunks = 0;  // of the medium, at least 1
  Milliseconds duration{0};  // more than 0
  ChunkRanges structure;     // chunks that hold only headers or index
  std::uint32_t head = 0;    // number of first chunks that every player needs first, wherever it begins
  SecondsTable seconds{};    // never falling, at least 1

  /// Whether the chunk is in the structure set or in the head.
  [[nodiscard]] bool is_header(std::uint32_t chunk) const noexcept {
    return chunk < head || contains(structure, chunk);
  }
  /// Chunks outside the structure set.
  [[nodiscard]] std::uint32_t media_chunks() const noexcept;
  /// c(s) for any s. 0 for s = 0. After the table it grows evenly up to the duration, rounded up; then media_chunks().
  [[nodiscard]] std::uint32_t chunks_for(std::uint64_t s) const noexcept;
  /// Errors: malformed, with the field's name.
  [[nodiscard]] Result<> check() const;

  bool operator==(const Extent&) const = default;
};

/// The table of a medium whose chunks are spread evenly over its duration. The press writes it if nothing better is
/// known.
[[nodiscard]] SecondsTable even_seconds(std::uint32_t media_chunks, Milliseconds duration) noexcept;

// The encodings in a manifest, on the wire and in the store.
[[nodiscard]] Bytes encode_ranges(const ChunkRanges& ranges);  // (u32 first · u32 count) each
/// Errors: malformed (not ascending, touching, empty, more than `max`).
[[nodiscard]] Result<ChunkRanges> decode_ranges(View bytes, std::size_t max);
/// 256 × u16: for each second, how many chunks it needs in addition to all seconds before it. Precondition: check()
/// passed.
[[nodiscard]] Bytes encode_seconds(const SecondsTable& table);
/// Errors: malformed (not 512 bytes).
[[nodiscard]] Result<SecondsTable> decode_seconds(View bytes);

}  // namespace usher::wire
