// store/sqlite/plays: the verbs of plays, inside a transaction that the caller holds.  Spec: licence.md §5, §7.4.
#pragma once

#include "base/random.h"
#include "store/records.h"
#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

struct PlayRules {
  licence::PlayPolicy policy;
  std::uint32_t max_open_plays = 1;  // of one licence
};

[[nodiscard]] Result<OpenPlay> open_play(Connection& connection, const PlayRules& rules, const Id128& new_play,
                                         const Caller& caller, const Operation& operation, const OpenRequest& request,
                                         Time now);
[[nodiscard]] Result<OpenPlay> resume_play(Connection& connection, const PlayRules& rules, const Caller& caller,
                                           const Operation& operation, const Id128& play, Time now);
/// How a grant is stored.
struct GrantMode {
  bool durably = false;     // whether this connection waits for the disk: a grant that commits wants it
  std::uint32_t ahead = 0;  // chunks to count beside the requested ones, for requests to come (licence.md §8.3)
};
struct GrantStored {
  Granted granted;
  std::vector<std::uint32_t> ahead;  // counted, not requested yet
};
/// Nothing stored, and no value, when it would commit the play on a connection that does not wait for the disk.
[[nodiscard]] Result<std::optional<GrantStored>> grant_chunks(Connection& connection, const PlayRules& rules,
                                                              const Caller& caller, const GrantRequest& request,
                                                              GrantMode mode, Time now);
/// Everything that grant_chunks checks but the chunks themselves; for chunks that have been counted ahead.
[[nodiscard]] Result<Granted> check_grant(Connection& connection, const PlayRules& rules, const Caller& caller,
                                          const GrantRequest& request, Time now);
[[nodiscard]] Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation,
                                        const Id128& play, std::uint64_t epoch, Time now);
[[nodiscard]] Result<std::vector<OpenPlay>> list_plays(Connection& connection, const PlayRules& rules,
                                                       const Caller& caller, Time now);
/// At most 256 at once; how many. `pseudonym`: one person's alone.
[[nodiscard]] Result<std::uint32_t> expire_plays(Connection& connection, const std::optional<Hash256>& pseudonym,
                                                 Time now);

}  // namespace usher::store::sqlite
