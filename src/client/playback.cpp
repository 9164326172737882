#include "client/playback.h"

#include <chrono>
#include <future>

#include "client/seek.h"

namespace usher::client {
namespace {

constexpr int kTick = 100;  // milliseconds between looks at keys and player

/// One player and the thread that feeds it.
class Feed {
 public:
  Feed(Fetcher& fetcher, std::unique_ptr<Player> player, const StartPoint& start)
      : fetcher_(fetcher), player_(std::move(player)), start_(start), thread_([this] { run(); }) {}
  ~Feed() { stop(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  [[nodiscard]] Player& player() noexcept { return *player_; }
  [[nodiscard]] const StartPoint& start() const noexcept { return start_; }
  /// Bytes of the medium up to which the player has taken everything.
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

  /// Silence at once; the fetcher can be used by the caller afterwards.
  void stop() {
    stop_ = true;
    player_->kill();
    fetcher_.cancel();
    if (thread_.joinable()) thread_.join();
    fetcher_.resume();
  }
  /// After the player has ended: how that went.
  [[nodiscard]] Result<> end() {
    stop_ = true;
    fetcher_.cancel();
    if (thread_.joinable()) thread_.join();
    fetcher_.resume();
    const bool fetched = outcome_.has_value() || outcome_.error().fault == Fault::player_failed ||
                         outcome_.error().fault == Fault::cancelled;
    if (!fetched) return outcome_;  // the player could not do anything about that
    USHER_CHECK(player_->verdict());
    return outcome_;
  }

 private:
  void run() {
    outcome_ = feed();
    const bool fetch_failed = !outcome_ && outcome_.error().fault != Fault::player_failed;
    if (outcome_ || fetch_failed) player_->finish();  // what it has is still played
  }
  [[nodiscard]] Result<> feed();
  [[nodiscard]] Result<> feed_head();

  Fetcher& fetcher_;
  std::unique_ptr<Player> player_;
  StartPoint start_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> taken_{0};
  Result<> outcome_{};
  std::thread thread_;
};

Result<> Feed::feed_head() {
  const std::uint32_t size = fetcher_.manifest().chunk_size;
  for (std::uint64_t at = 0; at < start_.head;) {
    USHER_TRY(const Piece piece, fetcher_.at(static_cast<std::uint32_t>(at / size)));
    const std::uint64_t left = std::min<std::uint64_t>(start_.head - at, piece->size());
    USHER_CHECK(player_->write(piece->expose().first(static_cast<std::size_t>(left)), stop_));
    at += left;
  }
  return {};
}

Result<> Feed::feed() {
  USHER_CHECK(feed_head());
  const std::uint32_t size = fetcher_.manifest().chunk_size;
  std::size_t skip = static_cast<std::size_t>(start_.offset % size);
  taken_ = start_.offset;
  for (;;) {
    USHER_TRY(const Piece piece, fetcher_.next());
    if (!piece) return {};
    const View bytes = piece->expose().subspan(std::min(skip, piece->size()));
    skip = 0;
    USHER_CHECK(player_->write(bytes, stop_));
    taken_ += bytes.size();
  }
}

class Playback {
 public:
  Playback(Fetcher& fetcher, const PlaybackSetup& setup, PlaybackView& view)
      : fetcher_(fetcher), setup_(setup), view_(view) {}
  ~Playback() { end_search(); }
  Playback(const Playback&) = delete;
  Playback& operator=(const Playback&) = delete;
  [[nodiscard]] Result<PlaybackEnd> run();

 private:
  [[nodiscard]] Result<> begin(const StartPoint& start);
  [[nodiscard]] Result<StartPoint> find(std::uint64_t target_ms);
  void seek(std::uint64_t target_ms);
  [[nodiscard]] Result<> follow_search();
  void end_search();
  [[nodiscard]] std::uint64_t elapsed();
  [[nodiscard]] std::uint64_t total() const { return fetcher_.manifest().duration_ms; }
  void toggle_pause();
  [[nodiscard]] bool interrupted() const { return setup_.interrupted != nullptr && *setup_.interrupted; }

  Fetcher& fetcher_;
  const PlaybackSetup& setup_;
  PlaybackView& view_;
  std::unique_ptr<Feed> feed_;
  std::optional<bool> clock_is_absolute_;  // of the running player
  bool paused_ = false;
  std::future<Result<StartPoint>> search_;  // the place that the listener wants to go to
};

Result<StartPoint> Playback::find(std::uint64_t target_ms) {
  const media::Manifest& manifest = fetcher_.manifest();
  const auto read = [&](std::uint64_t offset, std::size_t size) -> Result<crypto::Secret> {
    const std::uint64_t end = std::min(manifest.size, offset + size);
    crypto::Secret out(offset < end ? static_cast<std::size_t>(end - offset) : 0);
    for (std::uint64_t at = offset; at < end;) {
      USHER_TRY(const Piece piece, fetcher_.at(static_cast<std::uint32_t>(at / manifest.chunk_size)));
      const auto within = static_cast<std::size_t>(at % manifest.chunk_size);
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece->size() - within, end - at));
      std::ranges::copy(piece->expose().subspan(within, count),
                        out.expose_for_writing().subspan(static_cast<std::size_t>(at - offset)).begin());
      at += count;
    }
    return out;
  };
  return find_start(manifest, read, target_ms);
}

Result<> Playback::begin(const StartPoint& start) {
  fetcher_.move_to(static_cast<std::uint32_t>(start.offset / fetcher_.manifest().chunk_size));
  USHER_TRY(auto player, start_player(setup_.player, setup_.output));
  clock_is_absolute_.reset();
  paused_ = false;
  feed_ = std::make_unique<Feed>(fetcher_, std::move(player), start);
  return {};
}

/// A player that was started in the middle counts from there in some forms (Ogg), and from 0 in others (MPEG).
std::uint64_t Playback::elapsed() {
  const std::uint64_t from = feed_->start().time_ms;
  std::uint64_t now = from;
  if (const auto clock = feed_->player().clock()) {
    const auto shown = static_cast<std::uint64_t>(*clock * 1000);
    if (!clock_is_absolute_) clock_is_absolute_ = shown >= from / 2;
    now = *clock_is_absolute_ ? shown : from + shown;
  } else if (setup_.player.kind() == PlayerKind::other || setup_.player.kind() == PlayerKind::standard_output) {
    const double share = static_cast<double>(feed_->taken()) / static_cast<double>(fetcher_.manifest().size);
    now = static_cast<std::uint64_t>(static_cast<double>(total()) * share);
  }
  return total() == 0 ? now : std::min(now, total());
}

void Playback::seek(std::uint64_t target_ms) {
  if (setup_.player.kind() == PlayerKind::standard_output) {
    view_.note("Whoever reads the output cannot be sent to another place.");
  } else if (!search_.valid()) {
    // What is playing goes on until the new place has been found; the server may be slow, or gone for a while.
    search_ = std::async(std::launch::async, [this, target_ms] { return find(target_ms); });
  }
}

Result<> Playback::follow_search() {
  if (!search_.valid() || search_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return {};
  auto start = search_.get();
  if (!start && start.error().fault == Fault::unsupported) {
    view_.note("It plays on: " + start.error().about + " is not possible.");
    return {};
  }
  if (!start) return std::unexpected(std::move(start).error());
  feed_->stop();
  return begin(*start);
}

/// Gives up the search, and the feeding with it.
void Playback::end_search() {
  if (!search_.valid()) return;
  fetcher_.cancel();
  search_.wait();
  search_ = {};
  fetcher_.resume();
}

void Playback::toggle_pause() {
  if (feed_->player().pause(!paused_)) {
    paused_ = !paused_;
  } else {
    view_.note("This player cannot be paused.");
  }
}

Result<PlaybackEnd> Playback::run() {
  StartPoint start;
  if (setup_.start_ms > 0) {
    auto found = find(setup_.start_ms);
    if (!found && found.error().fault != Fault::unsupported) return std::unexpected(std::move(found).error());
    if (found) start = *found;
  }
  USHER_CHECK(begin(start));
  for (;;) {
    const bool ended = feed_->player().poll(kTick);
    const std::uint64_t now = elapsed();
    if (ended) {
      end_search();
      auto outcome = feed_->end();
      if (!outcome && interrupted()) return PlaybackEnd{.finished = false, .elapsed_ms = now};
      if (!outcome) return std::unexpected(std::move(outcome).error());
      return PlaybackEnd{.finished = true, .elapsed_ms = total() != 0 ? total() : now};
    }
    view_.position({.elapsed_ms = now, .total_ms = total(), .paused = paused_});
    bool quit = interrupted();
    std::uint64_t target = now;
    for (const Key key : view_.keys()) {
      if (key == Key::quit) quit = true;
      if (key == Key::pause) toggle_pause();
      if (key == Key::back) target = target > kSeekStep ? target - kSeekStep : 0;
      if (key == Key::forward && target + kSeekStep < total()) target += kSeekStep;
    }
    if (!quit && target != now) seek(target);
    if (!quit) {
      const auto followed = follow_search();
      quit = !followed && interrupted();
      if (!followed && !quit) return std::unexpected(followed.error());
    }
    if (quit) {
      end_search();
      feed_->stop();
      return PlaybackEnd{.finished = false, .elapsed_ms = now};
    }
  }
}

}  // namespace

Result<PlaybackEnd> play_back(Fetcher& fetcher, const PlaybackSetup& setup, PlaybackView& view) {
  return Playback(fetcher, setup, view).run();
}

}  // namespace usher::client
