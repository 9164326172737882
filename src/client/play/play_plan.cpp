#include "client/play/play_plan.h"

#include <algorithm>

namespace usher::client {
namespace {

std::uint64_t ms(Seconds seconds) { return static_cast<std::uint64_t>(Milliseconds(seconds).count()); }

std::vector<bool> set_of(const wire::ChunkRanges& ranges, std::uint32_t chunks) {
  std::vector<bool> set(chunks);
  for (const wire::ChunkRange& range : ranges) {
    const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{range.first} + range.count, chunks);
    for (std::uint64_t i = range.first; i < end; ++i) set[static_cast<std::size_t>(i)] = true;
  }
  return set;
}

}  // namespace

PlayPlan::PlayPlan(const media::Manifest& manifest)
    : timeline_(manifest),
      extent_(manifest.extent()),
      chunk_size_(manifest.chunk_size),
      heard_(extent_.chunks),
      asked_(extent_.chunks) {}

PlayPlan::PlayPlan(const media::Manifest& manifest, const wire::Opened& opened, const wire::ChunkRanges& asked)
    : PlayPlan(manifest) {
  promise_ = licence::free_part(extent_, Seconds(opened.commit_after)).promise;
  counted_ = opened.plays_left != wire::kNoLimit;
  asked_ = set_of(asked, extent_.chunks);
  standing(opened, {});
  spent_ = !committed_ && free_left_ == 0;
}

void PlayPlan::standing(const wire::Opened& opened, const std::vector<std::uint32_t>& under_way) {
  committed_ = opened.committed;
  free_left_ = opened.committed ? 0 : opened.free_left;
  repeats_left_ = opened.repeats_left;
  heard_ = set_of(opened.heard, extent_.chunks);
  for (const std::uint32_t chunk : under_way) {
    // Its request may reach the server after the server made this response.
    const bool is_new = !committed_ && !heard_[chunk] && !contains(extent_.structure, chunk);
    if (!is_new) continue;
    if (free_left_ == 0) committed_ = true;
    if (free_left_ > 0) --free_left_;
  }
}

Price PlayPlan::price_of(std::uint32_t chunk) const {
  if (contains(extent_.structure, chunk)) return Price::nothing;
  if (asked_[chunk]) return extent_.is_header(chunk) ? Price::nothing : Price::a_repeat;
  if (committed_ || heard_[chunk]) return Price::nothing;
  return free_left_ > 0 ? Price::of_the_free_part : Price::the_play;
}

void PlayPlan::ask(std::uint32_t chunk) {
  switch (price_of(chunk)) {
    case Price::nothing:
      break;
    case Price::of_the_free_part:
      --free_left_;
      break;
    case Price::a_repeat:
      repeats_left_ -= repeats_left_ > 0 ? 1 : 0;
      break;
    case Price::the_play:
      committed_ = true;
      break;
  }
  asked_[chunk] = true;
}

std::uint32_t PlayPlan::chunk_at(std::uint64_t time_ms) const {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(timeline_.offset_at(time_ms) / chunk_size_, extent_.chunks - 1));
}

/// When its first byte is needed, in milliseconds: by the index or by the table, whichever is later.
std::uint64_t PlayPlan::time_of(std::uint32_t chunk) const {
  const std::uint64_t by_index = timeline_.time_at(std::uint64_t{chunk} * chunk_size_);
  std::uint64_t before = chunk;  // chunks before this one that are outside the structure set
  for (const wire::ChunkRange& range : extent_.structure) {
    if (range.first < chunk) before -= std::min(range.count, chunk - range.first);
  }
  const auto& table = extent_.seconds;
  const auto beyond = std::ranges::upper_bound(table, before);
  const auto seconds = static_cast<std::uint64_t>(beyond - table.begin());
  return std::min(std::max(by_index, beyond == table.end() ? 0 : seconds * 1000), timeline_.duration());
}

/// The latest time to request a chunk that makes the play count, so that the sound does not stop. It is as long before
/// the chunk is needed as the promise (licence.md §5.2) is before the end of the free part.
std::uint64_t PlayPlan::latest_ask(std::uint32_t chunk) const {
  const std::uint64_t needed = time_of(chunk);
  return needed - std::min(ms(licence::kBuffer), needed / 4);
}

std::uint64_t PlayPlan::ahead_ms() const { return ms(now_.troubled ? kLookAheadInTrouble : licence::kLookAhead); }

bool PlayPlan::may_ask(std::uint32_t chunk) const {
  if (price_of(chunk) != Price::the_play) return true;
  if (!spent_ && now_.own_ms >= static_cast<std::uint64_t>(promise_.count())) return true;
  const std::uint32_t playing = chunk_at(now_.clock_ms);
  if (chunk <= playing) return true;
  if (chunk > playing + 1) return false;
  const bool needed_to_begin = !now_.begun && now_.more_ms > 0;
  return needed_to_begin || now_.clock_ms >= latest_ask(chunk);
}

std::uint32_t PlayPlan::end() const {
  const std::uint64_t bytes = timeline_.offset_at(now_.clock_ms + ahead_ms() + now_.more_ms);
  const std::uint64_t by_time = (bytes + chunk_size_ - 1) / chunk_size_;
  const std::uint64_t fewest = std::uint64_t{chunk_at(now_.clock_ms)} + kFewestAhead;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max(by_time, fewest), extent_.chunks));
}

std::uint64_t PlayPlan::giving_end() const {
  return timeline_.offset_at(now_.clock_ms + std::min(ms(licence::kBuffer), ahead_ms()) + now_.more_ms);
}

CountsFrom PlayPlan::counts_from(const InHand& in_hand) const {
  using enum CountsFrom::Kind;
  if (!counted_) return {};
  if (committed_) return {.kind = already};
  std::uint32_t left = free_left_;
  std::uint32_t chunk = chunk_at(now_.clock_ms);
  for (; chunk < extent_.chunks; ++chunk) {
    const Price price = price_of(chunk);
    const bool is_new = price == Price::of_the_free_part || price == Price::the_play;
    if (!is_new || in_hand(chunk)) continue;
    if (left == 0) break;
    --left;
  }
  if (chunk == extent_.chunks) return {.kind = never};
  const auto promised = static_cast<std::uint64_t>(promise_.count());
  if (spent_) return {.kind = first_new};
  const std::uint64_t then = now_.clock_ms + (promised > now_.own_ms ? promised - now_.own_ms : 0);
  const std::uint64_t needed = std::max(time_of(chunk > 0 ? chunk - 1 : 0), latest_ask(chunk));
  return {.kind = time, .ms = std::max(std::min(needed, then), now_.clock_ms)};
}

/// The chunks that a player needs to begin there: the head, the chunk at that position, and the next one.
std::vector<std::uint32_t> PlayPlan::chunks_of(const StartPoint& start) const {
  std::vector<std::uint32_t> chunks;
  for (std::uint64_t at = 0; at < start.head; at += chunk_size_) {
    chunks.push_back(static_cast<std::uint32_t>(at / chunk_size_));
  }
  const auto first = static_cast<std::uint32_t>(start.offset / chunk_size_);
  for (std::uint32_t chunk = first; chunk < std::min(first + kFewestAhead, extent_.chunks); ++chunk) {
    if (chunks.empty() || chunk > chunks.back()) chunks.push_back(chunk);
  }
  return chunks;
}

StartCost PlayPlan::cost_of(const StartPoint& start, const InHand& in_hand) const {
  StartCost cost;
  std::uint32_t fresh = 0;
  for (const std::uint32_t chunk : chunks_of(start)) {
    if (in_hand(chunk)) continue;
    const Price price = price_of(chunk);
    cost.repeats += price == Price::a_repeat ? 1 : 0;
    fresh += price == Price::of_the_free_part || price == Price::the_play ? 1 : 0;
  }
  cost.counts = counted_ && !committed_ && fresh > free_left_;
  return cost;
}

StartPoint PlayPlan::within_repeats(const StartPoint& start) const {
  const auto none = [](std::uint32_t) { return false; };
  for (StartPoint place = start;;) {
    if (cost_of(place, none).repeats <= repeats_left_) return place;
    const StartPoint next = timeline_.next_after(place);
    if (next.offset == place.offset) return start;
    place = next;
  }
}

wire::ChunkRanges PlayPlan::asked() const {
  std::vector<std::uint32_t> chunks;
  for (std::uint32_t chunk = 0; chunk < extent_.chunks; ++chunk) {
    if (asked_[chunk]) chunks.push_back(chunk);
  }
  return wire::ranges_of(chunks);
}

}  // namespace usher::client
