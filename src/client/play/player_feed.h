// client/play/player_feed: one player, and the thread that feeds it the medium, up to the allowed byte.
// Spec: licence.md §5.7.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "client/play/fetcher.h"
#include "client/play/play_clock.h"
#include "client/play/player.h"

namespace usher::client {

class PlayerFeed {
 public:
  /// Precondition: the fetcher has been moved to the position of `start`. From then on only this object calls next().
  /// `end`: all bytes before it may be given to the player at once.
  PlayerFeed(Fetcher& fetcher, std::unique_ptr<Player> player, const StartPoint& start, std::uint64_t end);
  ~PlayerFeed() { stop(); }
  PlayerFeed(const PlayerFeed&) = delete;
  PlayerFeed& operator=(const PlayerFeed&) = delete;

  [[nodiscard]] Player& player() noexcept { return *player_; }
  /// From now on all bytes before `end` may be given to the player. The limit never decreases.
  void allow(std::uint64_t end);
  [[nodiscard]] Given given() const;

  /// Stops the sound at once. Afterwards the caller can use the fetcher.
  void stop();
  /// The outcome; call it after the player has ended. Errors: the fetcher's; the player's.
  [[nodiscard]] Result<> end();

 private:
  void run();
  void join();
  [[nodiscard]] Result<> feed();
  [[nodiscard]] Result<> feed_head();
  [[nodiscard]] Result<> give(View bytes);
  /// Waits until the byte at `at` may be given. Returns how many bytes from `at` may be given.
  [[nodiscard]] Result<std::uint64_t> allowed_from(std::uint64_t at);

  Fetcher& fetcher_;
  const Timeline timeline_;
  std::unique_ptr<Player> player_;
  const StartPoint start_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t allowed_;  // under mutex_
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> given_;  // offset in the medium: all bytes before it were given
  std::atomic<Given::Need> need_{Given::Need::player};
  Result<> outcome_{};
  std::thread thread_;
};

}  // namespace usher::client
