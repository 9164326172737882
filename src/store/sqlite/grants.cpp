// store/sqlite/grants: the chunks of a play.  Spec: licence.md §5.6, §8.3.
#include <algorithm>

#include "store/sqlite/scene.h"
#include "store/sqlite/tally.h"

namespace usher::store::sqlite {
namespace {

using licence::Effect;
using licence::PlayState;
using licence::Step;

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
  USHER_TRY(const Medium medium, require_medium(connection, row.medium));
  return GrantScene{.row = row, .licence = std::move(scene.licence), .medium = medium};
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

}  // namespace usher::store::sqlite
