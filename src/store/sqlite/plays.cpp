#include "store/sqlite/plays.h"

#include <algorithm>
#include <limits>

#include "store/sqlite/leases.h"
#include "store/sqlite/play_context.h"

namespace usher::store::sqlite {
namespace {

using licence::Effect;
using licence::PlayState;
using licence::Step;

/// The play's current state, with what is left of the free part and of the repeats.
OpenPlay told(Connection& connection, const PlayRules& rules, const PlayRow& row, const Licence& licence,
              const licence::Extent& medium) {
  OpenPlay play{.play = row.id,
                .licence = licence.terms.id,
                .medium = row.medium,
                .epoch = row.play.epoch,
                .deadline = row.play.deadline,
                .plays_left = licence.standing.plays_left,
                .committed = row.play.state != PlayState::opened,
                .commit_after = rules.policy.commit_after,
                .free_left = 0,
                .repeats_left = licence::repeats_left(medium, row.play),
                .heard = {}};
  if (play.committed) return play;
  play.heard = load_heard(connection, row.pseudonym, row.medium);
  const std::uint64_t free = licence::free_part(medium, rules.policy.commit_after).chunks;
  const std::uint64_t heard = wire::count_of(play.heard);
  play.free_left = static_cast<std::uint32_t>(free > heard ? free - heard : 0);
  return play;
}

/// The response to a repeated operation: play, epoch and plays left are as in the first response.
OpenPlay told_again(Connection& connection, const PlayRules& rules, const Done& done) {
  const PlayRow row = load_play(connection, done.subject);
  const auto medium = load_medium(connection, row.medium);
  if (!medium) connection.damaged("a medium that is missing");
  OpenPlay play = told(connection, rules, row, load_licence(connection, row.licence).licence,
                       medium.value_or(MediumRecord{}).extent);
  play.epoch = done.epoch;
  play.plays_left = done.plays_left;
  play.repeated = true;
  return play;
}

void refund(Connection& connection, const LicenceRow& licence) {
  if (!licence.licence.terms.plays) return;
  const int changed =
      connection.run("UPDATE licences SET plays_left = plays_left + 1 WHERE n = ? AND plays_left < plays", licence.n);
  if (changed != 1) connection.damaged("a refund without a reserved play");
}

/// Stores the end of a play, by a close or by its deadline. Returns the plays left afterwards.
std::optional<std::uint32_t> store_end(Connection& connection, const PlayContext& context, const Step& step, Time now) {
  store_play(connection, context.row, step.play, now);
  drop_grants(connection, context.row.n);
  drop_lease(connection, context.row.n);
  std::optional<std::uint32_t> left = context.licence.licence.standing.plays_left;
  if (step.effect != Effect::refund) return left;
  refund(connection, context.licence);
  if (left) ++*left;
  return left;
}

/// Whether the licence can open a play now. Errors: the reason why not.
Result<> fits_for_play(const LicenceRow& row, const Caller& caller, Time now) {
  USHER_CHECK(licence::check_holder(row.licence.terms, caller.pseudonym, caller.installation));
  USHER_CHECK(check_usable(row.licence, now));
  if (row.licence.standing.plays_left == 0U) return fail(Fault::no_licence, "store: open");
  return {};
}

/// The usable licence that ends first, then the oldest. Errors: wrong_installation, if one can be used on another
/// installation; else the reason why the newest one cannot be used.
Result<LicenceRow> choose_licence(Connection& connection, const Caller& caller, const Id128& medium, Time now) {
  auto best = find_licence_for(connection, caller, medium, now);
  if (best) return *std::move(best);
  if (has_licence_elsewhere(connection, caller, medium, now)) return fail(Fault::wrong_installation, "store: open");
  const auto last = load_last_licence_for(connection, caller.pseudonym, medium);
  if (!last) return fail(Fault::no_licence, "store: open");
  USHER_CHECK(fits_for_play(*last, caller, now));
  connection.damaged("a licence that is in no index");
  return fail(Fault::store, "store: open");
}

Result<LicenceRow> named_licence(Connection& connection, const Caller& caller, const Id128& medium, const Id128& id,
                                 Time now) {
  auto row = load_licence(connection, id);
  if (!row || row->licence.terms.medium != medium) return fail(Fault::unknown_licence, "store: open");
  USHER_CHECK(licence::check_holder(row->licence.terms, caller.pseudonym, caller.installation));
  USHER_CHECK(check_usable(row->licence, now));
  return *std::move(row);
}

/// Two clients may both have seen the last play; this statement decides between them. Errors: no_licence.
Result<> reserve(Connection& connection, LicenceRow& row) {
  auto& left = row.licence.standing.plays_left;
  if (!left) return {};
  const int changed =
      connection.run("UPDATE licences SET plays_left = plays_left - 1 WHERE n = ? AND plays_left > 0", row.n);
  if (changed != 1) return fail(Fault::no_licence, "store: open");
  --*left;
  return {};
}

Result<LicenceRow> licence_for_open(Connection& connection, const Caller& caller, const OpenRequest& request,
                                    Time now) {
  if (!request.licence) return choose_licence(connection, caller, request.medium, now);
  return named_licence(connection, caller, request.medium, *request.licence, now);
}

}  // namespace

Result<> check_open(Connection& connection, const Caller& caller, const Operation& operation,
                    const OpenRequest& request, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::open));
  if (before) return {};
  USHER_TRY([[maybe_unused]] const MediumRecord medium, require_medium(connection, request.medium));
  auto row = licence_for_open(connection, caller, request, now);
  if (row && row->licence.standing.plays_left == 0U) row = fail(Fault::no_licence, "store: open");
  if (row) return {};
  // open_play() first gives back what overdue plays reserved, and then decides.
  if (!load_overdue(connection, caller.pseudonym, now).empty()) return {};
  return std::unexpected(row.error());
}

Result<OpenPlay> open_play(Connection& connection, const PlayRules& rules, const Id128& new_play, const Caller& caller,
                           const Operation& operation, const OpenRequest& request, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::open));
  if (before) return told_again(connection, rules, *before);

  USHER_TRY(const MediumRecord medium, require_medium(connection, request.medium));
  USHER_CHECK(expire_plays(connection, caller.pseudonym, now));  // what these plays had reserved is available again
  USHER_TRY(LicenceRow row, licence_for_open(connection, caller, request, now));
  USHER_CHECK(reserve(connection, row));
  if (count_open_plays(connection, caller.pseudonym, medium.id) >= rules.max_open_plays) {
    return fail(Fault::too_many_plays, "store: open");
  }
  const Step step = licence::open(rules.policy, medium.extent, now);
  connection.run(
      "INSERT INTO plays (play, licence, pseudonym, installation, medium, state, epoch, deadline, repeats, moves, "
      "opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)",
      new_play, row.n, caller.pseudonym, caller.installation, medium.id, static_cast<std::int64_t>(step.play.state),
      static_cast<std::int64_t>(step.play.epoch), step.play.deadline, now);
  const auto stored = load_play(connection, new_play);
  if (!stored) return fail(Fault::store, "store: open", "a play that was just stored");

  const Done done{.kind = Done::Kind::open,
                  .subject = stored->n,
                  .epoch = step.play.epoch,
                  .plays_left = row.licence.standing.plays_left};
  save_done(connection, caller.pseudonym, operation, done, now);
  return told(connection, rules, *stored, row.licence, medium.extent);
}

Result<OpenPlay> resume_play(Connection& connection, const PlayRules& rules, const Caller& caller,
                             const Operation& operation, const Id128& play, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::resume));
  if (before) return told_again(connection, rules, *before);

  USHER_TRY(PlayContext context, find_scene(connection, caller, play));
  const bool moved = context.row.installation != caller.installation;
  USHER_TRY(const Step step, licence::resume(rules.policy, context.row.play, moved, now));
  USHER_CHECK(check_holder(context, caller));
  USHER_CHECK(check_goes_on(context, now));
  USHER_TRY(const MediumRecord medium, require_medium(connection, context.row.medium));

  store_play(connection, context.row, step.play, now);
  connection.run("UPDATE plays SET installation = ? WHERE n = ?", caller.installation, context.row.n);
  const Done done{.kind = Done::Kind::resume,
                  .subject = context.row.n,
                  .epoch = step.play.epoch,
                  .plays_left = context.licence.licence.standing.plays_left};
  save_done(connection, caller.pseudonym, operation, done, now);
  context.row.play = step.play;
  return told(connection, rules, context.row, context.licence.licence, medium.extent);
}

Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation, const Id128& play,
                          std::uint64_t epoch, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::close));
  if (before) return Closed{.refunded = before->flag, .plays_left = before->plays_left, .repeated = true};

  USHER_TRY(const PlayContext context, find_scene(connection, caller, play));
  USHER_TRY(const Step step, licence::close(context.row.play, epoch));
  USHER_CHECK(check_holder(context, caller));
  const Closed closed{.refunded = step.effect == Effect::refund,
                      .plays_left = store_end(connection, context, step, now)};
  const Done done{.kind = Done::Kind::close,
                  .subject = context.row.n,
                  .epoch = epoch,
                  .plays_left = closed.plays_left,
                  .flag = closed.refunded};
  save_done(connection, caller.pseudonym, operation, done, now);
  return closed;
}

Result<std::vector<OpenPlay>> list_plays(Connection& connection, const PlayRules& rules, const Caller& caller,
                                         Time now) {
  std::vector<OpenPlay> plays;
  for (const PlayRow& row : load_open_plays(connection, caller.pseudonym)) {
    const LicenceRow licence = load_licence(connection, row.licence);
    const auto medium = load_medium(connection, row.medium);
    const PlayContext context{.row = row, .licence = licence};
    // Also list a play that cannot be moved again: an attempt to resume it then fails with too_many_moves.
    const bool resumable = licence::resume(rules.policy, row.play, false, now) && check_holder(context, caller) &&
                           check_goes_on(context, now) && medium && !medium->removed_at;
    if (resumable) plays.push_back(told(connection, rules, row, licence.licence, medium->extent));
  }
  return plays;
}

Result<std::uint32_t> expire_plays(Connection& connection, const std::optional<Hash256>& pseudonym, Time now) {
  const std::vector<PlayRow> overdue = load_overdue(connection, pseudonym, now);
  for (const PlayRow& row : overdue) {
    USHER_TRY(const Step step, licence::expire(row.play, now));
    store_end(connection, {.row = row, .licence = load_licence(connection, row.licence)}, step, now);
  }
  return static_cast<std::uint32_t>(overdue.size());
}

}  // namespace usher::store::sqlite
