// store/sqlite/plays: the verbs of plays, inside a transaction that the caller holds.  Spec: licence.md §5, §7.4.
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

/// As Store::check_open(). Plays that were reserved too long count as free: open_play() ends them first.
[[nodiscard]] Result<> check_open(Connection& connection, const Caller& caller, const Operation& operation,
                                  const OpenRequest& request, Time now);
[[nodiscard]] Result<OpenPlay> open_play(Connection& connection, const PlayRules& rules, const Id128& new_play,
                                         const Caller& caller, const Operation& operation, const OpenRequest& request,
                                         Time now);
[[nodiscard]] Result<OpenPlay> resume_play(Connection& connection, const PlayRules& rules, const Caller& caller,
                                           const Operation& operation, const Id128& play, Time now);
/// How a grant is stored.
struct GrantMode {
  bool durably = false;  // whether this connection waits for the disk: a grant that commits wants it
  LeaseBook& book;
  std::span<const std::uint32_t> taken;  // out of the book, so counted before and not sent
};
/// Nothing stored, and no value, when it would commit the play on a connection that does not wait for the disk.
[[nodiscard]] Result<std::optional<Granted>> grant_chunks(Connection& connection, const PlayRules& rules,
                                                          const Caller& caller, const GrantRequest& request,
                                                          GrantMode mode, Time now);
/// For chunks that were all taken out of the book: everything that grant_chunks checks but the repeats, without writing.
/// No value: the lease does not hold any more.
[[nodiscard]] Result<std::optional<Granted>> check_leased(Connection& connection, const Caller& caller,
                                                          const GrantRequest& request, LeaseBook& book, Time now);
/// What the play was granted ahead and did not ask for is as if it had not been granted.
[[nodiscard]] Result<> give_back_lease(Connection& connection, const Id128& play, LeaseBook& book);
[[nodiscard]] Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation,
                                        const Id128& play, std::uint64_t epoch, Time now);
[[nodiscard]] Result<std::vector<OpenPlay>> list_plays(Connection& connection, const PlayRules& rules,
                                                       const Caller& caller, Time now);
/// At most 256 at once; how many. `pseudonym`: one person's alone.
[[nodiscard]] Result<std::uint32_t> expire_plays(Connection& connection, const std::optional<Hash256>& pseudonym,
                                                 Time now);

}  // namespace usher::store::sqlite
