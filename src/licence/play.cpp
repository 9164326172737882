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

Result<> check_chunks(const Extent& medium, std::span<const ChunkUse> chunks) {
  if (chunks.empty()) return fail(Fault::malformed, "play: no chunk");
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].number >= medium.chunks) {
      return fail(Fault::unknown_chunk, "play", "chunk " + std::to_string(chunks[i].number));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (chunks[j].number == chunks[i].number) return fail(Fault::malformed, "play: a chunk twice");
    }
  }
  return {};
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
                   std::span<const ChunkUse> chunks, std::uint32_t heard, Time now) {
  USHER_CHECK(check_epoch(play, epoch));
  if (now >= play.deadline) return fail(Fault::play_expired, "play");
  USHER_CHECK(check_chunks(medium, chunks));
  const auto repeated = std::ranges::count_if(chunks, [&](const ChunkUse& use) { return is_repeat(medium, use); });
  if (static_cast<std::uint64_t>(repeated) > repeats_left(medium, play)) return fail(Fault::budget_spent, "play");

  Step step{.play = play, .effect = Effect::none};
  step.play.repeats += static_cast<std::uint32_t>(repeated);
  if (play.state != PlayState::opened) return step;
  const auto is_new = [&](const ChunkUse& use) { return !use.heard && !wire::contains(medium.structure, use.number); };
  const auto added = static_cast<std::uint64_t>(std::ranges::count_if(chunks, is_new));
  if (added > 0 && heard + added > free_part(medium, policy.commit_after).chunks) {
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
