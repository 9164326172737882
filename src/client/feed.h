// client/feed: one player, and the thread that gives it the medium, no further than it may have.  Spec: licence.md §5.7.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "client/fetcher.h"
#include "client/play_clock.h"
#include "client/player.h"

namespace usher::client {

class Feed {
 public:
  /// The fetcher has been moved to the place of `start`; next() is called by this object alone. `end`: bytes before
  /// which everything may be given at once.
  Feed(Fetcher& fetcher, std::unique_ptr<Player> player, const StartPoint& start, std::uint64_t end);
  ~Feed() { stop(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  [[nodiscard]] Player& player() noexcept { return *player_; }
  /// Everything before this byte may be given from now on; it never goes back.
  void allow(std::uint64_t end);
  [[nodiscard]] Given given() const;

  /// Silence at once; the fetcher can be used by the caller afterwards.
  void stop();
  /// After the player has ended: how that went.
  [[nodiscard]] Result<> end();

 private:
  void run();
  void join();
  [[nodiscard]] Result<> feed();
  [[nodiscard]] Result<> feed_head();
  [[nodiscard]] Result<> give(View bytes);
  /// Waits until the byte at `at` may be given; bytes that may be.
  [[nodiscard]] Result<std::uint64_t> allowed_from(std::uint64_t at);

  Fetcher& fetcher_;
  const Timeline timeline_;
  std::unique_ptr<Player> player_;
  const StartPoint start_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t allowed_;  // under mutex_
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> given_;  // bytes of the medium, up to here
  std::atomic<Given::Need> need_{Given::Need::player};
  Result<> outcome_{};
  std::thread thread_;
};

}  // namespace usher::client
