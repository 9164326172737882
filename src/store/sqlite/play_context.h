// store/sqlite/play_context: common code of the methods for plays.
#pragma once

#include "store/sqlite/plays.h"
#include "store/sqlite/rows.h"

namespace usher::store::sqlite {

/// All rows that are needed to check a request for a play.
struct PlayContext {
  PlayRow row;
  LicenceRow licence;  // briefly
};
/// Errors: unknown_play, also for another person's play: the response does not reveal that it exists.
[[nodiscard]] Result<PlayContext> find_scene(Connection& connection, const Caller& caller, const Id128& play);

/// licence.md §4.1.
[[nodiscard]] Result<> check_holder(const PlayContext& context, const Caller& caller);
/// licence.md §4.2, for a new play.
[[nodiscard]] Result<> check_usable(const Licence& licence, Time now);
/// licence.md §4.2, for a play that is open: a committed play may be finished although its licence has ended.
[[nodiscard]] Result<> check_goes_on(const PlayContext& context, Time now);

/// Writes the play if its row still equals `before`; the number of changed rows decides. Else marks the connection as
/// damaged.
void store_play(Connection& connection, const PlayRow& before, const licence::Play& after, Time now);

}  // namespace usher::store::sqlite
