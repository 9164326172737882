// store/sqlite/tally: which chunks a play was granted, and which ones a licence has heard.  Spec: licence.md §5.3, §8.3.
//
// Both are kept in rows of kBlock chunks, so that a grant writes two small rows, however long the medium is.
#pragma once

#include <span>

#include "licence/play.h"
#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

/// What is known of each chunk. `play` and `licence`: row numbers.
[[nodiscard]] std::vector<licence::ChunkUse> chunk_uses(Connection& connection, std::int64_t play, std::int64_t licence,
                                                        std::span<const std::uint32_t> chunks);

/// Counts one more grant of each.
void count_grants(Connection& connection, std::int64_t play, std::span<const licence::ChunkUse> chunks);

/// Marks them as heard for nothing and sets the licence's figure.
void mark_heard(Connection& connection, std::int64_t licence, std::span<const licence::ChunkUse> chunks);

/// After a commit: the licence's heard chunks are those of its other plays that are open and not committed.
void restart_heard(Connection& connection, std::int64_t licence, std::int64_t committed_play);

/// A play that is over needs no grants any more.
void drop_grants(Connection& connection, std::int64_t play);

}  // namespace usher::store::sqlite
