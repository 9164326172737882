// store/sqlite/tally: which chunks a play was granted, and which ones a person has heard.  Spec: licence.md §5.3, §5.4, §8.3.
//
// Both are kept in rows of kBlock chunks, so that a grant writes a few small rows, however long the medium is.
#pragma once

#include <span>

#include "store/sqlite/rows.h"

namespace usher::store::sqlite {

/// Consecutive chunks.
struct Span {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included

  [[nodiscard]] bool holds(std::uint32_t chunk) const noexcept { return chunk >= first && chunk <= last; }
  [[nodiscard]] std::uint32_t size() const noexcept { return last - first + 1; }
  bool operator==(const Span&) const = default;
};

// --- a play's chunks

/// What is known of each chunk.
[[nodiscard]] std::vector<licence::ChunkUse> chunk_uses(Connection& connection, const PlayRow& play,
                                                        const licence::Extent& medium,
                                                        std::span<const std::uint32_t> chunks);
/// Counts one more grant of each; one that was pending is forgiven from now on.
void count_grants(Connection& connection, std::int64_t play, const licence::Extent& medium,
                  std::span<const licence::ChunkUse> chunks);
/// Grants the chunks from `first` on that can be leased: up to `room`, as long as none was granted before and none has
/// headers. No value: there are none.
[[nodiscard]] std::optional<Span> grant_ahead(Connection& connection, std::int64_t play, const licence::Extent& medium,
                                              std::uint32_t first, std::uint32_t room);
/// As if they had not been granted.
void take_back(Connection& connection, std::int64_t play, std::span<const std::uint32_t> chunks);
/// Each of them may be granted once more uncounted, unless it was forgiven before.
void forgive(Connection& connection, std::int64_t play, const Span& chunks);
/// A play that is over needs no grants any more.
void drop_grants(Connection& connection, std::int64_t play);

// --- a person's heard chunks

[[nodiscard]] wire::ChunkRanges load_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium);
[[nodiscard]] std::uint32_t count_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium);
/// Those of `chunks` that are not heard yet, and not of the structure set.
void mark_heard(Connection& connection, const PlayRow& play, const licence::Extent& medium,
                std::span<const licence::ChunkUse> chunks);
/// After a commit of `committed`: what the person's other plays of the medium that are opened were granted.
void restart_heard(Connection& connection, const PlayRow& committed);

}  // namespace usher::store::sqlite
