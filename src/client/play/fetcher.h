// client/play/fetcher: fetches a medium's chunks ahead, in parallel; checks them, and returns them in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "client/play/play_memory.h"
#include "client/play/play_plan.h"

namespace usher::client {

/// Requests one chunk from the server. Called from several threads. `stop` becomes true when the chunk is no longer
/// needed.
using GetChunk = std::function<Result<wire::ChunkBody>(std::uint32_t chunk, const std::atomic<bool>& stop)>;

/// Returns the chunk's bytes if they are what the distributor signed: checks the size, and the proof against the
/// manifest's root. Wipes the copy in `body`.
/// Errors: unknown_chunk; chunk_damaged with its number; local.
[[nodiscard]] Result<Piece> checked_chunk(const media::Manifest& manifest, std::uint32_t chunk, wire::ChunkBody body);

struct FetcherOptions {
  std::uint32_t window = 8;                  // concurrent requests, 1 to 64
  std::size_t keep = std::size_t{24} << 20;  // bytes of the medium cached after use, for seeking back
  std::optional<PlayPlan> plan{};            // empty: nothing is counted
  std::uint32_t first = 0;                   // first chunk to return
};

/// Has its own threads. Checks each chunk against the manifest before anything else uses the chunk.
class Fetcher {
 public:
  Fetcher(media::Manifest manifest, GetChunk get, FetcherOptions options = {});
  ~Fetcher();  // cancels the requests in progress; wipes the cached chunks
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// Waits for the next chunk in order; returns an empty Piece at the end. Errors: the error of the first chunk that
  /// failed, after all chunks before it were returned; cancelled, after cancel() was called.
  [[nodiscard]] Result<Piece> next();
  /// For seeking: continues at `chunk`, with the listener at `now`. Requests neither cached chunks again nor the chunks
  /// that are skipped. Call it only while no other thread is in next().
  void move_to(std::uint32_t chunk, const Moment& now);
  /// Updates the listener's position. The look-ahead depends on it (PlayPlan).
  void listener_at(const Moment& now);
  /// Updates the play's state from a new response of the server.
  void standing(const wire::Opened& opened);
  /// Returns one chunk out of order; does not check what the request costs. Errors: as next(). Thread-safe.
  [[nodiscard]] Result<Piece> at(std::uint32_t chunk);

  /// Makes waiting calls return `cancelled` until resume() is called.
  void cancel();
  void resume();

  [[nodiscard]] const media::Manifest& manifest() const noexcept { return manifest_; }
  [[nodiscard]] std::uint32_t position() const;
  /// A copy of the current plan.
  [[nodiscard]] PlayPlan plan() const;
  [[nodiscard]] CountsFrom counts_from() const;
  [[nodiscard]] StartCost cost_of(const StartPoint& start) const;
  /// Offset in bytes: all bytes before it may be given to the player now.
  [[nodiscard]] std::uint64_t giving_end() const;
  /// Whether the next chunk is not requested yet because the request would make the play count.
  [[nodiscard]] bool held_back() const;

 private:
  void work();
  [[nodiscard]] bool is_open(std::uint32_t chunk) const;      // mutex held: not cached, requested or failed
  [[nodiscard]] std::optional<std::uint32_t> wanted() const;  // mutex held
  void store(std::uint32_t chunk, Result<Piece> got);         // mutex held
  void trim();                                                // mutex held
  [[nodiscard]] Result<Piece> take(std::unique_lock<std::mutex>& lock, std::uint32_t chunk);

  const media::Manifest manifest_;
  const GetChunk get_;
  const FetcherOptions options_;

  mutable std::mutex mutex_;
  PlayPlan plan_;
  std::condition_variable work_;     // there may be a chunk to request
  std::condition_variable arrived_;  // a chunk or an error has arrived
  std::map<std::uint32_t, Piece> pieces_;
  std::map<std::uint32_t, Error> errors_;
  std::set<std::uint32_t> asked_;
  std::multiset<std::uint32_t> extra_;  // chunks that at() waits for
  std::uint32_t position_ = 0;
  bool awaited_ = false;  // next() waits for the chunk at position_
  bool cancelled_ = false;
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace usher::client
