// store/sqlite/grants: grants a chunk of a play.  Spec: licence.md §5.6, §8.3.
#include "store/sqlite/leases.h"
#include "store/sqlite/play_context.h"

namespace usher::store::sqlite {
namespace {

using licence::Effect;
using licence::PlayState;
using licence::Step;

struct GrantScene {
  PlayRow row;
  LicenceRow licence;
  MediumRecord medium;
};

/// Checks in the order of licence.md §5.6: the play, its epoch, its holder, the licence, the medium.
Result<GrantScene> find_grant_scene(Connection& connection, const Caller& caller, const GrantRequest& request,
                                    Time now) {
  USHER_TRY(PlayContext context, find_scene(connection, caller, request.play));
  const PlayRow& row = context.row;
  if (row.medium != request.medium) return fail(Fault::unknown_play, "store: grant");
  if (licence::is_over(row.play.state)) return fail(Fault::play_over, "store: grant");
  if (row.play.epoch != request.epoch) return fail(Fault::stale_epoch, "store: grant");
  USHER_CHECK(check_holder(context, caller));
  if (row.installation != caller.installation) return fail(Fault::wrong_installation, "store: grant");
  if (now >= row.play.deadline) return fail(Fault::play_expired, "store: grant");
  USHER_CHECK(check_goes_on(context, now));
  USHER_TRY(MediumRecord medium, require_medium(connection, row.medium));
  return GrantScene{.row = row, .licence = std::move(context.licence), .medium = std::move(medium)};
}

Granted told(const GrantScene& context, const licence::Play& play) {
  return {.medium = context.medium,
          .committed = play.state == PlayState::committed,
          .repeats_left = licence::repeats_left(context.medium.extent, play)};
}

/// Parallel requests arrive out of order: a request for one of the chunks just before a lease does not end the lease.
bool is_near(const Span& lease, std::uint32_t chunk) {
  return chunk <= lease.last && std::uint64_t{chunk} + licence::kMaxLease >= lease.first;
}

/// For a play that was committed before this request.
void renew_lease(Connection& connection, const GrantScene& context, LeaseBook& book, std::uint32_t requested) {
  const licence::Extent& extent = context.medium.extent;
  const auto lease = valid_lease(connection, context.row, book);
  if (lease && is_near(*lease, requested)) return;
  if (lease) give_back(connection, context.row, book);
  lease_ahead(connection, context.row, extent, book, requested + 1, licence::lease_of(extent));
}

}  // namespace

Result<std::optional<Granted>> check_leased(Connection& connection, const Caller& caller, const GrantRequest& request,
                                            LeaseBook& book, Time now) {
  USHER_TRY(const GrantScene context, find_grant_scene(connection, caller, request, now));
  const auto lease = valid_lease(connection, context.row, book);
  if (!lease || !lease->holds(request.chunk)) return std::nullopt;
  return told(context, context.row.play);
}

Result<std::optional<Granted>> grant_chunk(Connection& connection, const PlayRules& rules, const Caller& caller,
                                           const GrantRequest& request, GrantMode mode, Time now) {
  USHER_TRY(const GrantScene context, find_grant_scene(connection, caller, request, now));
  const PlayRow& row = context.row;
  const licence::Extent& extent = context.medium.extent;
  settle_lease(connection, row, mode.book);
  licence::ChunkUse use = chunk_use(connection, row, extent, request.chunk);
  use.uncounted = use.uncounted || mode.taken;
  const std::uint32_t heard =
      row.play.state == PlayState::opened ? count_heard(connection, row.pseudonym, row.medium) : 0;
  USHER_TRY(const Step step, licence::grant(rules.policy, extent, row.play, request.epoch, use, heard, now));
  if (step.effect == Effect::commit && !mode.durably) return std::nullopt;

  store_play(connection, row, step.play, now);
  count_grant(connection, row.n, extent, request.chunk);
  if (step.effect == Effect::commit) {
    connection.run("UPDATE licences SET first_play = coalesce(first_play, ?) WHERE n = ?", unix_seconds(now),
                   row.licence);
    restart_heard(connection, row);
  } else if (step.play.state == PlayState::opened) {
    mark_heard(connection, row, extent, use);
  } else {
    renew_lease(connection, context, mode.book, request.chunk);
  }
  return told(context, step.play);
}

Result<> give_back_lease(Connection& connection, const Id128& play, LeaseBook& book) {
  const auto row = load_play(connection, play);
  if (row && valid_lease(connection, *row, book)) give_back(connection, *row, book);
  book.drop(play);
  return {};
}

}  // namespace usher::store::sqlite
