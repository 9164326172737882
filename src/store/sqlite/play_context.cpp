#include "store/sqlite/play_context.h"

namespace usher::store::sqlite {

Result<PlayContext> find_scene(Connection& connection, const Caller& caller, const Id128& play) {
  auto row = load_play(connection, play);
  if (!row || row->pseudonym != caller.pseudonym) return fail(Fault::unknown_play, "store");
  LicenceRow licence = load_licence_briefly(connection, row->licence);
  return PlayContext{.row = *row, .licence = std::move(licence)};
}

Result<> check_holder(const PlayContext& context, const Caller& caller) {
  return licence::check_holder(context.licence.licence.terms, caller.pseudonym, caller.installation);
}

Result<> check_usable(const Licence& licence, Time now) {
  return licence::check_usable(licence.terms, licence.standing, now);
}

Result<> check_goes_on(const PlayContext& context, Time now) {
  const Licence& licence = context.licence.licence;
  if (context.row.play.state == licence::PlayState::committed) return licence::check_not_revoked(licence.standing);
  return check_usable(licence, now);
}

void store_play(Connection& connection, const PlayRow& before, const licence::Play& after, Time now) {
  const auto state = static_cast<std::int64_t>(after.state);
  const int changed = connection.run(
      "UPDATE plays SET state = ?, over_at = iif(? >= 2, ?, NULL), epoch = ?, repeats = ?, moves = ? "
      "WHERE n = ? AND state = ? AND epoch = ? AND repeats = ?",
      state, state, now, static_cast<std::int64_t>(after.epoch), std::int64_t{after.repeats}, std::int64_t{after.moves},
      before.n, static_cast<std::int64_t>(before.play.state), static_cast<std::int64_t>(before.play.epoch),
      std::int64_t{before.play.repeats});
  if (changed != 1) connection.damaged("a play that changed inside a transaction");
}

}  // namespace usher::store::sqlite
