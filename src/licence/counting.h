// licence/counting: what of a medium is heard for nothing, and how often it may be sent again. Server and listener
// compute it with this code, from the manifest and the operator's `commit_after`.  Spec: licence.md §5.2, §5.4.
#pragma once

#include "wire/extent.h"

namespace usher::licence {

using wire::Extent;

inline constexpr Seconds kBuffer{8};                // B: what a player may hold beyond its own clock
inline constexpr Seconds kLookAhead{10};            // what a client fetches ahead of it
inline constexpr std::uint32_t kHeaderGrants = 64;  // of a chunk with headers, in one play, §5.4
inline constexpr std::uint32_t kMinRepeats = 176;   // chunks, §5.4
inline constexpr Seconds kRepeatSeconds{200};       // §5.4
inline constexpr std::uint32_t kMaxLease = 31;      // chunks, §8.3
inline constexpr Seconds kLeaseSeconds{10};         // §8.3

struct FreePart {
  std::uint32_t chunks = 0;  // F: distinct chunks outside the structure set, for one person, before a play counts
  Milliseconds promise{0};   // T: who stops before, by his own clock, keeps his play

  bool operator==(const FreePart&) const = default;
};
/// `commit_after`: N, at most the numbers that a configuration takes; 0 and less: nothing is free.
[[nodiscard]] FreePart free_part(const Extent& medium, Seconds commit_after) noexcept;

/// R: chunks that one play may be sent once more.
[[nodiscard]] std::uint32_t repeats_of(const Extent& medium) noexcept;

/// Chunks that one play may hold counted ahead: ten seconds' worth, from 1 to kMaxLease.
[[nodiscard]] std::uint32_t lease_of(const Extent& medium) noexcept;

}  // namespace usher::licence
