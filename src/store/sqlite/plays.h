// store/sqlite/plays: the store's methods for plays, inside the caller's transaction.  Spec: licence.md §5, §7.4.
#pragma once

#include "base/random.h"
#include "store/records.h"
#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

class LeaseBook;

struct PlayRules {
  licence::PlayPolicy policy;
  std::uint32_t max_open_plays = 1;  // of one person and medium
};

/// As Store::check_open(). Overdue plays count as given back: open_play() ends them first.
[[nodiscard]] Result<> check_open(Connection& connection, const Caller& caller, const Operation& operation,
                                  const OpenRequest& request, Time now);
[[nodiscard]] Result<OpenPlay> open_play(Connection& connection, const PlayRules& rules, const Id128& new_play,
                                         const Caller& caller, const Operation& operation, const OpenRequest& request,
                                         Time now);
[[nodiscard]] Result<OpenPlay> resume_play(Connection& connection, const PlayRules& rules, const Caller& caller,
                                           const Operation& operation, const Id128& play, Time now);
/// How a grant is stored.
struct GrantMode {
  bool durably = false;  // whether this connection waits for the disk; a grant that commits the play needs it
  LeaseBook& book;
  bool taken = false;  // from the book: the chunk was counted before, and not sent
};
/// Stores nothing and returns an empty value if it would commit the play on a connection that does not wait for the
/// disk.
[[nodiscard]] Result<std::optional<Granted>> grant_chunk(Connection& connection, const PlayRules& rules,
                                                         const Caller& caller, const GrantRequest& request,
                                                         GrantMode mode, Time now);
/// For a chunk that was taken from the book: checks everything that grant_chunk checks, except the
/// repeats. Writes nothing. Empty: the lease is no longer valid.
[[nodiscard]] Result<std::optional<Granted>> check_leased(Connection& connection, const Caller& caller,
                                                          const GrantRequest& request, LeaseBook& book, Time now);
/// Takes back the chunks that were granted ahead and not requested, as if they had not been granted.
[[nodiscard]] Result<> give_back_lease(Connection& connection, const Id128& play, LeaseBook& book);
[[nodiscard]] Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation,
                                        const Id128& play, std::uint64_t epoch, Time now);
[[nodiscard]] Result<std::vector<OpenPlay>> list_plays(Connection& connection, const PlayRules& rules,
                                                       const Caller& caller, Time now);
/// Ends at most 256 plays at once; returns their number. `pseudonym`: only this person's plays.
[[nodiscard]] Result<std::uint32_t> expire_plays(Connection& connection, const std::optional<Hash256>& pseudonym,
                                                 Time now);

}  // namespace usher::store::sqlite
