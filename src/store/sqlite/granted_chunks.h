// store/sqlite/granted_chunks: chunks that a play was granted, and that a person has heard.
// Spec: licence.md §5.3, §5.4, §8.3.
//
// Both are stored in rows of kBlock chunks, so that a grant writes a few small rows, however long the medium is.
#pragma once

#include <span>

#include "store/sqlite/rows.h"

namespace usher::store::sqlite {

/// Consecutive chunks.
struct Span {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // inclusive

  [[nodiscard]] bool holds(std::uint32_t chunk) const noexcept { return chunk >= first && chunk <= last; }
  [[nodiscard]] std::uint32_t size() const noexcept { return last - first + 1; }
  bool operator==(const Span&) const = default;
};

// --- a play's chunks

/// What the store knows of the chunk.
[[nodiscard]] licence::ChunkUse chunk_use(Connection& connection, const PlayRow& play, const licence::Extent& medium,
                                          std::uint32_t chunk);
/// Counts one more grant of the chunk. If its forgiveness was pending, it is marked as forgiven.
void count_grant(Connection& connection, std::int64_t play, const licence::Extent& medium, std::uint32_t chunk);
/// Grants chunks from `first` on for a lease: up to `room`, stopping before the first chunk that was granted before or
/// has headers. Empty: no chunk can be leased.
[[nodiscard]] std::optional<Span> grant_ahead(Connection& connection, std::int64_t play, const licence::Extent& medium,
                                              std::uint32_t first, std::uint32_t room);
/// Removes the grants of the chunks, as if they had not been granted.
void take_back(Connection& connection, std::int64_t play, std::span<const std::uint32_t> chunks);
/// Each of the chunks may be granted once more without being counted, unless it was forgiven before.
void forgive(Connection& connection, std::int64_t play, const Span& chunks);
/// Deletes the grants of a play that is over.
void drop_grants(Connection& connection, std::int64_t play);

// --- a person's heard chunks

[[nodiscard]] wire::ChunkRanges load_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium);
[[nodiscard]] std::uint32_t count_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium);
/// Adds the chunk, if it is not heard yet and not in the structure set.
void mark_heard(Connection& connection, const PlayRow& play, const licence::Extent& medium,
                const licence::ChunkUse& chunk);
/// After `committed` was committed: resets the person's heard chunks of the medium to those that were granted to the
/// person's other plays of it in the state opened.
void restart_heard(Connection& connection, const PlayRow& committed);

}  // namespace usher::store::sqlite
