#include "store/sqlite/plays.h"

#include <algorithm>
#include <limits>

#include "store/sqlite/rows.h"
#include "store/sqlite/tally.h"

namespace usher::store::sqlite {
namespace {

using licence::Effect;
using licence::PlayState;
using licence::Step;

/// Everything that a request for a play is judged by.
struct Scene {
  PlayRow row;
  LicenceRow licence;
};

/// Errors: unknown_play, also for another person's: nobody learns that it exists.
Result<Scene> find_scene(Connection& connection, const Caller& caller, const Id128& play) {
  auto row = load_play(connection, play);
  if (!row || row->pseudonym != caller.pseudonym) return fail(Fault::unknown_play, "store");
  LicenceRow licence = load_licence_briefly(connection, row->licence);
  return Scene{.row = *row, .licence = std::move(licence)};
}

Result<> check_holder(const Scene& scene, const Caller& caller) {
  return licence::check_holder(scene.licence.licence.terms, caller.pseudonym, caller.installation);
}

Result<> check_usable(const Licence& licence, Time now) {
  return licence::check_usable(licence.terms, licence.standing, now);
}

std::uint32_t budget_left(const PlayRules& rules, const Medium& medium, const licence::Play& play) {
  const std::uint32_t budget = licence::budget_of(rules.policy, medium.extent());
  return budget > play.granted ? budget - play.granted : 0;
}

OpenPlay told(const PlayRow& row, const Licence& licence, const Done& done) {
  return {.play = row.id,
          .licence = licence.terms.id,
          .medium = row.medium,
          .epoch = done.epoch,
          .deadline = row.play.deadline,
          .plays_left = done.plays_left,
          .budget_left = done.budget_left,
          .committed = done.flag};
}

OpenPlay told_again(Connection& connection, const Done& done) {
  const PlayRow row = load_play(connection, done.subject);
  return told(row, load_licence(connection, row.licence).licence, done);
}

/// Writes the play, if it still is what the step was made from: the number of changed rows decides.
void store_play(Connection& connection, const PlayRow& before, const licence::Play& after, Time now) {
  const auto state = static_cast<std::int64_t>(after.state);
  const int changed = connection.run(
      "UPDATE plays SET state = ?, over_at = iif(? >= 2, ?, NULL), epoch = ?, granted = ? "
      "WHERE n = ? AND state = ? AND epoch = ? AND granted = ?",
      state, state, now, static_cast<std::int64_t>(after.epoch), std::int64_t{after.granted}, before.n,
      static_cast<std::int64_t>(before.play.state), static_cast<std::int64_t>(before.play.epoch),
      std::int64_t{before.play.granted});
  if (changed != 1) damaged("a play that changed inside a transaction");
}

void refund(Connection& connection, const LicenceRow& licence) {
  if (!licence.licence.terms.plays) return;
  const int changed =
      connection.run("UPDATE licences SET plays_left = plays_left + 1 WHERE n = ? AND plays_left < plays", licence.n);
  if (changed != 1) damaged("a refund without a reserved play");
}

/// The end of a play, deliberate or by time. Returns the plays left afterwards.
std::optional<std::uint32_t> store_end(Connection& connection, const Scene& scene, const Step& step, Time now) {
  store_play(connection, scene.row, step.play, now);
  drop_grants(connection, scene.row.n);
  std::optional<std::uint32_t> left = scene.licence.licence.standing.plays_left;
  if (step.effect != Effect::refund) return left;
  refund(connection, scene.licence);
  if (left) ++*left;
  return left;
}

/// The usable licence that ends first, then the oldest. If there is none: why not the newest.
Result<LicenceRow> choose_licence(Connection& connection, const Caller& caller, const Id128& medium, Time now) {
  std::optional<LicenceRow> best;
  Error why{.fault = Fault::no_licence, .where = "store: open"};
  const auto end_of = [](const LicenceRow& row) {
    return licence::usable_until(row.licence.terms, row.licence.standing)
        .value_or(std::numeric_limits<std::int64_t>::max());
  };
  for (LicenceRow& row : load_licences_for(connection, caller.pseudonym, medium)) {
    const licence::LicenceTerms& terms = row.licence.terms;
    Result<> fits = licence::check_holder(terms, caller.pseudonym, caller.installation);
    if (fits) fits = check_usable(row.licence, now);
    if (fits && row.licence.standing.plays_left == 0U) fits = fail(Fault::no_licence, "store: open");
    if (!fits) {
      why = fits.error();
      continue;
    }
    if (!best || end_of(row) < end_of(*best)) best = std::move(row);
  }
  if (!best) return std::unexpected(std::move(why));
  return *std::move(best);
}

Result<LicenceRow> named_licence(Connection& connection, const Caller& caller, const Id128& medium, const Id128& id,
                                 Time now) {
  auto row = load_licence(connection, id);
  if (!row || row->licence.terms.medium != medium) return fail(Fault::unknown_licence, "store: open");
  USHER_CHECK(licence::check_holder(row->licence.terms, caller.pseudonym, caller.installation));
  USHER_CHECK(check_usable(row->licence, now));
  return *std::move(row);
}

/// Two clients may both have seen a play left: this decides. Errors: no_licence.
Result<> reserve(Connection& connection, LicenceRow& row) {
  auto& left = row.licence.standing.plays_left;
  if (!left) return {};
  const int changed =
      connection.run("UPDATE licences SET plays_left = plays_left - 1 WHERE n = ? AND plays_left > 0", row.n);
  if (changed != 1) return fail(Fault::no_licence, "store: open");
  --*left;
  return {};
}

struct GrantScene {
  PlayRow row;
  LicenceRow licence;
  Medium medium;
};

/// Judged in the order of licence.md §5.6: the play, its epoch, its holder, the licence, the medium.
Result<GrantScene> find_grant_scene(Connection& connection, const Caller& caller, const GrantRequest& request,
                                    Time now) {
  if (request.chunks.size() > kMaxGrant) return fail(Fault::malformed, "store: grant");
  USHER_TRY(Scene scene, find_scene(connection, caller, request.play));
  const PlayRow& row = scene.row;
  if (row.medium != request.medium) return fail(Fault::unknown_play, "store: grant");
  if (licence::is_over(row.play.state)) return fail(Fault::play_over, "store: grant");
  if (row.play.epoch != request.epoch) return fail(Fault::stale_epoch, "store: grant");
  USHER_CHECK(check_holder(scene, caller));
  if (row.installation != caller.installation) return fail(Fault::wrong_installation, "store: grant");
  if (now >= row.play.deadline) return fail(Fault::play_expired, "store: grant");
  USHER_CHECK(check_usable(scene.licence.licence, now));
  USHER_TRY(Medium medium, require_medium(connection, row.medium));
  return GrantScene{.row = row, .licence = std::move(scene.licence), .medium = std::move(medium)};
}

/// Up to `room` chunks after the last requested one that this play was never granted.
std::vector<licence::ChunkUse> uses_ahead(Connection& connection, const PlayRow& row, const licence::Extent& extent,
                                          std::span<const std::uint32_t> requested, std::uint32_t room) {
  if (room == 0) return {};
  std::vector<std::uint32_t> numbers;
  const std::uint64_t first = std::uint64_t{requested.back()} + 1;
  const std::uint64_t end = std::min<std::uint64_t>(first + room, extent.chunks);
  for (std::uint64_t number = first; number < end; ++number) {
    const auto chunk = static_cast<std::uint32_t>(number);
    if (std::ranges::find(requested, chunk) == requested.end()) numbers.push_back(chunk);
  }
  auto uses = chunk_uses(connection, row.n, row.licence, numbers);
  std::erase_if(uses, [](const licence::ChunkUse& use) { return use.times != 0; });
  return uses;
}

}  // namespace

Result<OpenPlay> open_play(Connection& connection, const PlayRules& rules, const Id128& new_play, const Caller& caller,
                           const Operation& operation, const OpenRequest& request, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::open));
  if (before) return told_again(connection, *before);

  USHER_TRY(const Medium medium, require_medium(connection, request.medium));
  USHER_CHECK(expire_plays(connection, caller.pseudonym, now));  // what they had reserved is there again
  USHER_TRY(LicenceRow row, request.licence ? named_licence(connection, caller, medium.id, *request.licence, now)
                                            : choose_licence(connection, caller, medium.id, now));
  USHER_CHECK(reserve(connection, row));
  if (row.licence.open_plays >= rules.max_open_plays) return fail(Fault::too_many_plays, "store: open");

  const Step step = licence::open(rules.policy, medium.extent(), now);
  connection.run(
      "INSERT INTO plays (play, licence, pseudonym, installation, medium, state, epoch, deadline, granted, opened_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      new_play, row.n, caller.pseudonym, caller.installation, medium.id, static_cast<std::int64_t>(step.play.state),
      static_cast<std::int64_t>(step.play.epoch), step.play.deadline, std::int64_t{step.play.granted}, now);
  const auto stored = load_play(connection, new_play);
  if (!stored) damaged("a play that was just stored");

  const Done done{.kind = Done::Kind::open,
                  .subject = stored->n,
                  .epoch = step.play.epoch,
                  .plays_left = row.licence.standing.plays_left,
                  .budget_left = budget_left(rules, medium, step.play),
                  .flag = false};
  save_done(connection, caller.pseudonym, operation, done, now);
  return told(*stored, row.licence, done);
}

Result<OpenPlay> resume_play(Connection& connection, const PlayRules& rules, const Caller& caller,
                             const Operation& operation, const Id128& play, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::resume));
  if (before) return told_again(connection, *before);

  USHER_TRY(const Scene scene, find_scene(connection, caller, play));
  USHER_TRY(const Step step, licence::resume(scene.row.play, now));
  USHER_CHECK(check_holder(scene, caller));
  USHER_CHECK(check_usable(scene.licence.licence, now));
  USHER_TRY(const Medium medium, require_medium(connection, scene.row.medium));

  store_play(connection, scene.row, step.play, now);
  connection.run("UPDATE plays SET installation = ? WHERE n = ?", caller.installation, scene.row.n);
  const Done done{.kind = Done::Kind::resume,
                  .subject = scene.row.n,
                  .epoch = step.play.epoch,
                  .plays_left = scene.licence.licence.standing.plays_left,
                  .budget_left = budget_left(rules, medium, step.play),
                  .flag = step.play.state == PlayState::committed};
  save_done(connection, caller.pseudonym, operation, done, now);
  return told(scene.row, scene.licence.licence, done);
}

Result<Granted> check_grant(Connection& connection, const PlayRules& rules, const Caller& caller,
                            const GrantRequest& request, Time now) {
  USHER_TRY(const GrantScene scene, find_grant_scene(connection, caller, request, now));
  const licence::Play& play = scene.row.play;
  return Granted{.medium = scene.medium,
                 .committed = play.state == PlayState::committed,
                 .budget_left = budget_left(rules, scene.medium, play)};
}

Result<std::optional<GrantStored>> grant_chunks(Connection& connection, const PlayRules& rules, const Caller& caller,
                                                const GrantRequest& request, GrantMode mode, Time now) {
  USHER_TRY(const GrantScene scene, find_grant_scene(connection, caller, request, now));
  const PlayRow& row = scene.row;
  const licence::Extent extent = scene.medium.extent();
  auto uses = chunk_uses(connection, row.n, row.licence, request.chunks);
  USHER_TRY(Step step, licence::grant(rules.policy, extent, row.play, request.epoch, uses, scene.licence.heard, now));
  if (step.effect == Effect::commit && !mode.durably) return std::nullopt;

  GrantStored stored;
  if (row.play.state == PlayState::committed) {
    const std::uint32_t room = std::min(mode.ahead, budget_left(rules, scene.medium, step.play));
    for (const licence::ChunkUse& use : uses_ahead(connection, row, extent, request.chunks, room)) {
      stored.ahead.push_back(use.number);
      uses.push_back(use);
    }
    step.play.granted += static_cast<std::uint32_t>(stored.ahead.size());
  }
  store_play(connection, row, step.play, now);
  count_grants(connection, row.n, uses);
  if (step.effect == Effect::commit) {
    connection.run("UPDATE licences SET first_play = coalesce(first_play, ?) WHERE n = ?", unix_seconds(now),
                   row.licence);
    restart_heard(connection, row.licence, row.n);
  } else if (step.play.state == PlayState::opened) {
    mark_heard(connection, row.licence, uses);
  }
  stored.granted = {.medium = scene.medium,
                    .committed = step.play.state == PlayState::committed,
                    .budget_left = budget_left(rules, scene.medium, step.play)};
  return stored;
}

Result<Closed> close_play(Connection& connection, const Caller& caller, const Operation& operation, const Id128& play,
                          std::uint64_t epoch, Time now) {
  USHER_TRY(const auto before, load_done(connection, caller.pseudonym, operation, Done::Kind::close));
  if (before) return Closed{.refunded = before->flag, .plays_left = before->plays_left};

  USHER_TRY(const Scene scene, find_scene(connection, caller, play));
  USHER_TRY(const Step step, licence::close(scene.row.play, epoch));
  USHER_CHECK(check_holder(scene, caller));
  const Closed closed{.refunded = step.effect == Effect::refund, .plays_left = store_end(connection, scene, step, now)};
  const Done done{.kind = Done::Kind::close,
                  .subject = scene.row.n,
                  .epoch = epoch,
                  .plays_left = closed.plays_left,
                  .budget_left = 0,
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
    const Scene scene{.row = row, .licence = licence};
    const bool resumable = licence::resume(row.play, now) && check_holder(scene, caller) &&
                           check_usable(licence.licence, now) && medium && !medium->removed_at;
    if (!resumable) continue;
    plays.push_back({.play = row.id,
                     .licence = licence.licence.terms.id,
                     .medium = row.medium,
                     .epoch = row.play.epoch,
                     .deadline = row.play.deadline,
                     .plays_left = licence.licence.standing.plays_left,
                     .budget_left = budget_left(rules, *medium, row.play),
                     .committed = row.play.state == PlayState::committed});
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
