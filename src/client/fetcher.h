// client/fetcher: a medium's chunks, fetched ahead in parallel, checked, and given out in order.
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

#include "client/memory.h"
#include "client/play_plan.h"

namespace usher::client {

/// Asks the server for one chunk; called from several threads. `stop` is true once nobody wants it any more.
using GetChunk = std::function<Result<wire::ChunkBody>(std::uint32_t chunk, const std::atomic<bool>& stop)>;

/// The chunk's bytes, if they are what the distributor signed: size, and proof against the manifest's root. The body's
/// own copy is wiped.  Errors: unknown_chunk; chunk_damaged with its number; local.
[[nodiscard]] Result<Piece> checked_chunk(const media::Manifest& manifest, std::uint32_t chunk, wire::ChunkBody body);

struct FetcherOptions {
  std::uint32_t window = 8;                  // requests under way at once, 1 to 64
  std::size_t keep = std::size_t{24} << 20;  // bytes of the medium kept after they were given out, for going back
  std::optional<PlayPlan> plan{};            // empty: nothing is counted
  std::uint32_t first = 0;                   // chunk to begin with
};

/// Threads of its own. What it gives out has been checked against the manifest before anything else is done with it.
class Fetcher {
 public:
  Fetcher(media::Manifest manifest, GetChunk get, FetcherOptions options = {});
  ~Fetcher();  // gives up what is under way; wipes what is kept
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// Waits for the next chunk in order; nothing at the end. Errors: the first that a chunk met, after all chunks before
  /// it; cancelled, once `cancel` was called.
  [[nodiscard]] Result<Piece> next();
  /// Carries on from there, with the listener there: for seeking. What is kept is not asked for again, and nothing that
  /// lies between. Only while no other thread is in next().
  void move_to(std::uint32_t chunk, const Moment& now);
  /// Where the listener is: how far ahead is fetched depends on it (PlayPlan).
  void listener_at(const Moment& now);
  /// The server said anew how the play stands.
  void standing(const wire::Opened& opened);
  /// One chunk out of order, whatever it costs; errors as for next(). From any thread.
  [[nodiscard]] Result<Piece> at(std::uint32_t chunk);

  /// Makes waiting calls return `cancelled` until resume() is called.
  void cancel();
  void resume();

  [[nodiscard]] const media::Manifest& manifest() const noexcept { return manifest_; }
  [[nodiscard]] std::uint32_t position() const;
  /// The plan as it stands.
  [[nodiscard]] PlayPlan plan() const;
  [[nodiscard]] CountsFrom counts_from() const;
  [[nodiscard]] StartCost cost_of(const StartPoint& start) const;
  /// Bytes before which everything may be given to the player now.
  [[nodiscard]] std::uint64_t giving_end() const;
  /// Whether the next chunk is not asked for, since it would make the play count.
  [[nodiscard]] bool held_back() const;

 private:
  void work();
  [[nodiscard]] bool is_open(std::uint32_t chunk) const;      // mutex held: not in hand, asked for or failed
  [[nodiscard]] std::optional<std::uint32_t> wanted() const;  // mutex held
  void store(std::uint32_t chunk, Result<Piece> got);         // mutex held
  void trim();                                                // mutex held
  [[nodiscard]] Result<Piece> take(std::unique_lock<std::mutex>& lock, std::uint32_t chunk);

  const media::Manifest manifest_;
  const GetChunk get_;
  const FetcherOptions options_;

  mutable std::mutex mutex_;
  PlayPlan plan_;
  std::condition_variable work_;     // there may be a chunk to ask for
  std::condition_variable arrived_;  // a chunk or an error is there
  std::map<std::uint32_t, Piece> pieces_;
  std::map<std::uint32_t, Error> errors_;
  std::set<std::uint32_t> asked_;
  std::multiset<std::uint32_t> extra_;  // that at() waits for
  std::uint32_t position_ = 0;
  bool awaited_ = false;  // next() waits for the one at position_
  bool cancelled_ = false;
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace usher::client
