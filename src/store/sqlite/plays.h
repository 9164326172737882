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
[[nodiscard]] Result<Granted> grant_chunks(Connection& connection, const PlayRules& rules, const Caller& caller,
                                           const GrantRequest& request, Time now);
[[nodiscard]] Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation,
                                        const Id128& play, std::uint64_t epoch, Time now);
[[nodiscard]] Result<std::vector<OpenPlay>> list_plays(Connection& connection, const PlayRules& rules,
                                                       const Caller& caller, Time now);
/// At most 256 at once; how many. `pseudonym`: one person's alone.
[[nodiscard]] Result<std::uint32_t> expire_plays(Connection& connection, const std::optional<Hash256>& pseudonym,
                                                 Time now);

}  // namespace usher::store::sqlite
