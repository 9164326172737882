#include "client/play/player_feed.h"

#include <algorithm>

namespace usher::client {
namespace {

constexpr std::uint64_t kSlice = 4'096;  // bytes; small, so that given_ is exact while the player reads slowly

}  // namespace

PlayerFeed::PlayerFeed(Fetcher& fetcher, std::unique_ptr<Player> player, const StartPoint& start, std::uint64_t end)
    : fetcher_(fetcher),
      timeline_(fetcher.manifest()),
      player_(std::move(player)),
      start_(start),
      allowed_(end),
      given_(start.offset),
      thread_([this] { run(); }) {}

void PlayerFeed::allow(std::uint64_t end) {
  {
    const std::scoped_lock lock(mutex_);
    allowed_ = std::max(allowed_, end);
  }
  changed_.notify_all();
}

Given PlayerFeed::given() const {
  Given::Need need = need_;
  if (need == Given::Need::server && fetcher_.held_back()) need = Given::Need::held;
  return {.ms = std::max(timeline_.time_at(given_), start_.time_ms), .need = need};
}

void PlayerFeed::join() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  fetcher_.cancel();
  if (thread_.joinable()) thread_.join();
  fetcher_.resume();
}

void PlayerFeed::stop() {
  player_->kill();
  join();
}

Result<> PlayerFeed::end() {
  join();
  const bool fetched = outcome_.has_value() || outcome_.error().fault == Fault::player_failed ||
                       outcome_.error().fault == Fault::cancelled;
  if (!fetched) return outcome_;  // a failed fetch is not the player's fault
  USHER_CHECK(player_->verdict());
  return outcome_;
}

void PlayerFeed::run() {
  outcome_ = feed();
  need_ = Given::Need::nothing;
  const bool fetch_failed = !outcome_ && outcome_.error().fault != Fault::player_failed;
  if (outcome_ || fetch_failed) player_->finish();  // the player still plays what it has
}

Result<> PlayerFeed::feed_head() {
  const std::uint32_t size = fetcher_.manifest().chunk_size;
  for (std::uint64_t at = 0; at < start_.head;) {
    need_ = Given::Need::server;
    USHER_TRY(const Piece piece, fetcher_.at(static_cast<std::uint32_t>(at / size)));
    need_ = Given::Need::player;
    const std::uint64_t left = std::min<std::uint64_t>(start_.head - at, piece->size());
    USHER_CHECK(player_->write(piece->expose().first(static_cast<std::size_t>(left)), stop_));
    at += left;
  }
  return {};
}

Result<std::uint64_t> PlayerFeed::allowed_from(std::uint64_t at) {
  std::unique_lock lock(mutex_);
  if (allowed_ <= at) need_ = Given::Need::limit;
  changed_.wait(lock, [&] { return stop_ || allowed_ > at; });
  if (stop_) return fail(Fault::cancelled, "feed");
  return allowed_ - at;
}

Result<> PlayerFeed::give(View bytes) {
  while (!bytes.empty()) {
    USHER_TRY(const std::uint64_t allowed, allowed_from(given_));
    const View part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>({allowed, bytes.size(), kSlice})));
    need_ = Given::Need::player;
    USHER_CHECK(player_->write(part, stop_));
    given_ += part.size();
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Result<> PlayerFeed::feed() {
  USHER_CHECK(feed_head());
  std::size_t skip = static_cast<std::size_t>(start_.offset % fetcher_.manifest().chunk_size);
  for (;;) {
    // Call next() only for a chunk that may be given: otherwise the fetcher could request the chunk too early. It
    // requests each chunk by itself when it is due.
    if (given_ < fetcher_.manifest().size) {
      USHER_CHECK(allowed_from(given_));
    }
    need_ = Given::Need::server;
    USHER_TRY(const Piece piece, fetcher_.next());
    if (!piece) return {};
    USHER_CHECK(give(piece->expose().subspan(std::min(skip, piece->size()))));
    skip = 0;
  }
}

}  // namespace usher::client
