#include "licence/play.h"

#include <algorithm>
#include <limits>

namespace usher::licence {
namespace {

constexpr std::uint64_t kMaxChunks = std::numeric_limits<std::uint32_t>::max();

std::uint32_t clamp_chunks(std::uint64_t chunks) noexcept {
  return static_cast<std::uint32_t>(std::min(chunks, kMaxChunks));
}

/// a * b / c without overflow, rounded down; a large value where the result has no meaning anyway. c > 0.
std::uint64_t scale(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide result = static_cast<Wide>(a) * b / c;
  return result > kMaxChunks ? kMaxChunks : static_cast<std::uint64_t>(result);
}

Result<> check_epoch(const Play& play, std::uint64_t epoch) {
  if (is_over(play.state)) return fail(Fault::play_over, "play");
  if (epoch != play.epoch) return fail(Fault::stale_epoch, "play");
  return {};
}

/// Deliberately or by time: what was committed stays counted, what was only reserved is given back.
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

Result<> check_chunks(const PlayPolicy& policy, const Extent& medium, std::span<const ChunkUse> chunks) {
  if (chunks.empty()) return fail(Fault::malformed, "play: no chunk");
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].number >= medium.chunks) {
      return fail(Fault::unknown_chunk, "play", "chunk " + std::to_string(chunks[i].number));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (chunks[j].number == chunks[i].number) return fail(Fault::malformed, "play: a chunk twice");
    }
  }
  for (const ChunkUse& chunk : chunks) {
    if (chunk.times >= policy.per_chunk_max) {
      return fail(Fault::budget_spent, "play: one chunk", "chunk " + std::to_string(chunk.number));
    }
  }
  return {};
}

}  // namespace

Result<> check_policy(const PlayPolicy& policy) {
  if (policy.commit_after < Seconds{0}) return fail(Fault::bad_config, "play policy: commit after");
  if (policy.deadline <= Seconds{0}) return fail(Fault::bad_config, "play policy: deadline");
  if (policy.budget_den == 0 || policy.budget_num < policy.budget_den) {
    return fail(Fault::bad_config, "play policy: a budget below the medium");
  }
  if (policy.per_chunk_max == 0) return fail(Fault::bad_config, "play policy: grants of a chunk");
  return {};
}

std::uint32_t free_chunks(const PlayPolicy& policy, const Extent& medium) noexcept {
  if (medium.duration.count() <= 0 || policy.commit_after.count() <= 0) return 0;
  const auto heard_free = static_cast<std::uint64_t>(policy.commit_after.count());
  const auto duration = static_cast<std::uint64_t>(medium.duration.count());
  if (heard_free > duration) return medium.chunks / 2;  // also keeps the product below small
  return clamp_chunks(std::min<std::uint64_t>(scale(heard_free * 1000, medium.chunks, duration), medium.chunks / 2));
}

std::uint32_t budget_of(const PlayPolicy& policy, const Extent& medium) noexcept {
  const std::uint64_t product = static_cast<std::uint64_t>(medium.chunks) * policy.budget_num;
  return clamp_chunks((product + policy.budget_den - 1) / policy.budget_den);
}

Time deadline_of(const PlayPolicy& policy, const Extent& medium, Time now) noexcept {
  const Milliseconds by_duration = medium.duration * policy.deadline_durations;
  return now + std::max<Milliseconds>(policy.deadline, by_duration);
}

Step open(const PlayPolicy& policy, const Extent& medium, Time now) noexcept {
  return {.play = {.deadline = deadline_of(policy, medium, now)}, .effect = Effect::reserve};
}

Result<Step> grant(const PlayPolicy& policy, const Extent& medium, const Play& play, std::uint64_t epoch,
                   std::span<const ChunkUse> chunks, std::uint32_t heard, Time now) {
  USHER_CHECK(check_epoch(play, epoch));
  if (now >= play.deadline) return fail(Fault::play_expired, "play");
  USHER_CHECK(check_chunks(policy, medium, chunks));
  const std::uint64_t granted = std::uint64_t{play.granted} + chunks.size();
  if (granted > budget_of(policy, medium)) return fail(Fault::budget_spent, "play: the medium");

  Step step{.play = play, .effect = Effect::none};
  step.play.granted = static_cast<std::uint32_t>(granted);
  if (play.state != PlayState::opened) return step;
  const auto is_new = [](const ChunkUse& chunk) { return !chunk.heard; };
  const std::uint64_t heard_now = heard + static_cast<std::uint64_t>(std::ranges::count_if(chunks, is_new));
  if (heard_now > free_chunks(policy, medium)) {
    step.play.state = PlayState::committed;
    step.effect = Effect::commit;
  }
  return step;
}

Result<Step> resume(const Play& play, Time now) {
  if (is_over(play.state)) return fail(Fault::play_over, "play");
  if (now >= play.deadline) return fail(Fault::play_expired, "play");
  Step step{.play = play, .effect = Effect::none};
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
