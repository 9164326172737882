// licence/counting: how much of a medium is free of charge, and how often chunks may be sent again. Server and listener
// compute it with this code, from the manifest and the operator's `commit_after`.  Spec: licence.md §5.2, §5.4.
#pragma once

#include "wire/extent.h"

namespace usher::licence {

using wire::Extent;

inline constexpr Seconds kBuffer{8};                // B: how far ahead of its own clock a player may hold bytes
inline constexpr Seconds kLookAhead{10};            // how far a client fetches ahead of the player
inline constexpr std::uint32_t kHeaderGrants = 64;  // of one chunk with headers, in one play, before repeats, §5.4
inline constexpr std::uint32_t kMinRepeats = 176;   // chunks, §5.4
inline constexpr Seconds kRepeatSeconds{200};       // §5.4
inline constexpr std::uint32_t kMaxLease = 31;      // chunks, §8.3
inline constexpr Seconds kLeaseSeconds{10};         // §8.3

struct FreePart {
  std::uint32_t chunks = 0;  // F: distinct chunks outside the structure set, for one person, before a play counts
  Milliseconds promise{0};   // T: a listener who stops before T, by his own clock, keeps his play

  bool operator==(const FreePart&) const = default;
};
/// `commit_after`: N, at most the largest number that a configuration allows; 0 or less: nothing is free.
[[nodiscard]] FreePart free_part(const Extent& medium, Seconds commit_after) noexcept;

/// R: the number of repeats that one play may have, in chunks.
[[nodiscard]] std::uint32_t repeats_of(const Extent& medium) noexcept;

/// The largest lease of one play: chunks counted ahead, ten seconds' worth, from 1 to kMaxLease.
[[nodiscard]] std::uint32_t lease_of(const Extent& medium) noexcept;

}  // namespace usher::licence
