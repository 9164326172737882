// wire/extent: how a medium's chunks lie in its time: what fair counting stands on.  Spec: release.md §2.5.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace usher::wire {

/// Chunks from `first` on.
struct ChunkRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // at least 1

  bool operator==(const ChunkRange&) const = default;
};
using ChunkRanges = std::vector<ChunkRange>;  // ascending, not touching each other

/// Whether `chunk` is in one of the ranges.
[[nodiscard]] bool contains(const ChunkRanges& ranges, std::uint32_t chunk) noexcept;
[[nodiscard]] std::uint64_t count_of(const ChunkRanges& ranges) noexcept;
/// The ranges of `chunks`, which are ascending, each once.
[[nodiscard]] ChunkRanges ranges_of(const std::vector<std::uint32_t>& chunks);

inline constexpr std::size_t kMaxStructureRanges = 64;
inline constexpr std::size_t kTableSeconds = 256;
/// c(1), c(2), … c(256): how many chunks outside the structure set are needed to play the first seconds.
using SecondsTable = std::array<std::uint32_t, kTableSeconds>;

struct Extent {
  std::uint32_t chunks = 0;  // of the medium, at least 1
  Milliseconds duration{0};  // more than 0
  ChunkRanges structure;     // chunks that hold headers or index alone
  std::uint32_t head = 0;    // the first chunks, which every player needs first, wherever it begins
  SecondsTable seconds{};    // rising, from 1 on

  /// Of the structure set, or of the head.
  [[nodiscard]] bool is_header(std::uint32_t chunk) const noexcept {
    return chunk < head || contains(structure, chunk);
  }
  /// Chunks outside the structure set.
  [[nodiscard]] std::uint32_t media_chunks() const noexcept;
  /// c(s) for any s: 0 for 0; beyond the table evenly up to the duration, rounded up; then all.
  [[nodiscard]] std::uint32_t chunks_for(std::uint64_t s) const noexcept;
  /// Errors: malformed, with the field's name.
  [[nodiscard]] Result<> check() const;

  bool operator==(const Extent&) const = default;
};

/// For media whose chunks are evenly spread over their duration: what the press writes where nothing is known better.
[[nodiscard]] SecondsTable even_seconds(std::uint32_t media_chunks, Milliseconds duration) noexcept;

// The encodings in a manifest, on the wire and in the store.
[[nodiscard]] Bytes encode_ranges(const ChunkRanges& ranges);  // (u32 first · u32 count) each
/// Errors: malformed (not ascending, touching, empty, more than `max`).
[[nodiscard]] Result<ChunkRanges> decode_ranges(View bytes, std::size_t max);
/// 256 × u16: how many chunks each second needs that no second before it did. Precondition: check() passed.
[[nodiscard]] Bytes encode_seconds(const SecondsTable& table);
/// Errors: malformed (not 512 bytes).
[[nodiscard]] Result<SecondsTable> decode_seconds(View bytes);

}  // namespace usher::wire
