#include "licence/play.h"

#include <algorithm>
#include <string>

namespace usher::licence {
namespace {

Result<> check_epoch(const Play& play, std::uint64_t epoch) {
  if (is_over(play.state)) return fail(Fault::play_over, "play");
  if (epoch != play.epoch) return fail(Fault::stale_epoch, "play");
  return {};
}

/// Ends a play, on request or at its deadline. A committed play stays counted. A play that was only reserved is given
/// back.
Step end(const Play& play) noexcept {
  Step step{.play = play, .effect = Effect::none};
  if (play.state == PlayState::opened) {
    step.play.state = PlayState::refunded;
    step.effect = Effect::refund;
  } else {
    step.play.state = PlayState::ended;
  }
  return step;
}

}  // namespace

Result<> check_policy(const PlayPolicy& policy) {
  if (policy.commit_after < Seconds{0}) return fail(Fault::bad_config, "play policy: commit after");
  if (policy.deadline <= Seconds{0}) return fail(Fault::bad_config, "play policy: deadline");
  return {};
}

Time deadline_of(const PlayPolicy& policy, const Extent& medium, Time now) noexcept {
  const Milliseconds by_duration = medium.duration * policy.deadline_durations;
  return now + std::max<Milliseconds>(policy.deadline, by_duration);
}

std::uint32_t repeats_left(const Extent& medium, const Play& play) noexcept {
  const std::uint32_t all = repeats_of(medium);
  return all > play.repeats ? all - play.repeats : 0;
}

bool is_repeat(const Extent& medium, const ChunkUse& use) noexcept {
  if (use.uncounted) return false;
  const std::uint32_t uncounted = medium.is_header(use.number) ? kHeaderGrants : 1;
  return use.times >= uncounted;
}

Step open(const PlayPolicy& policy, const Extent& medium, Time now) noexcept {
  return {.play = {.deadline = deadline_of(policy, medium, now)}, .effect = Effect::reserve};
}

Result<Step> grant(const PlayPolicy& policy, const Extent& medium, const Play& play, std::uint64_t epoch,
                   const ChunkUse& chunk, std::uint32_t heard, Time now) {
  USHER_CHECK(check_epoch(play, epoch));
  if (now >= play.deadline) return fail(Fault::play_expired, "play");
  if (chunk.number >= medium.chunks) {
    return fail(Fault::unknown_chunk, "play", "chunk " + std::to_string(chunk.number));
  }
  const bool repeats = is_repeat(medium, chunk);
  if (repeats && repeats_left(medium, play) == 0) return fail(Fault::budget_spent, "play");

  Step step{.play = play, .effect = Effect::none};
  step.play.repeats += repeats ? 1 : 0;
  if (play.state != PlayState::opened) return step;
  const bool is_new = !chunk.heard && !wire::contains(medium.structure, chunk.number);
  if (is_new && heard >= free_part(medium, policy.commit_after).chunks) {
    step.play.state = PlayState::committed;
    step.effect = Effect::commit;
  }
  return step;
}

Result<Step> resume(const PlayPolicy& policy, const Play& play, bool moved, Time now) {
  if (is_over(play.state)) return fail(Fault::play_over, "play");
  if (now >= play.deadline) return fail(Fault::play_expired, "play");
  Step step{.play = play, .effect = Effect::none};
  if (moved && play.moves >= policy.max_moves) return fail(Fault::too_many_moves, "play");
  if (moved) ++step.play.moves;
  ++step.play.epoch;
  return step;
}

Result<Step> close(const Play& play, std::uint64_t epoch) {
  USHER_CHECK(check_epoch(play, epoch));
  return end(play);
}

Result<Step> expire(const Play& play, Time now) {
  if (is_over(play.state)) return fail(Fault::play_over, "play");
  if (now < play.deadline) return fail(Fault::unexpected_message, "play: before its deadline");
  return end(play);
}

}  // namespace usher::licence
