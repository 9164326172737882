#include "client/play/playback.h"

#include <chrono>
#include <future>

#include "client/play/player_feed.h"
#include "client/play/seek_keys.h"

namespace usher::client {
namespace {

constexpr int kTick = 100;  // milliseconds between checks of keys and player

class Playback {
 public:
  Playback(Fetcher& fetcher, const PlaybackSetup& setup, PlaybackView& view)
      : fetcher_(fetcher),
        setup_(setup),
        view_(view),
        timeline_(fetcher.manifest()),
        own_(setup.own != nullptr ? *setup.own : spare_),
        keys_(timeline_.duration()) {}
  ~Playback() { end_search(); }
  Playback(const Playback&) = delete;
  Playback& operator=(const Playback&) = delete;
  [[nodiscard]] Result<PlaybackEnd> run();

 private:
  [[nodiscard]] Result<> begin(const StartPoint& start);
  void look();
  [[nodiscard]] Moment moment() const;
  void show();
  /// False: the listener wants to quit.
  [[nodiscard]] bool take_keys();
  [[nodiscard]] Result<PlaybackEnd> listen();
  [[nodiscard]] Result<> go_on();
  [[nodiscard]] Result<> follow_search();
  void end_search();
  [[nodiscard]] bool may_go(const StartPoint& start, const SeekKeys::Wish& wish);
  void toggle_pause();
  [[nodiscard]] bool interrupted() const { return setup_.interrupted != nullptr && *setup_.interrupted; }
  /// Whether the player reports its position.
  [[nodiscard]] bool tells() const {
    return setup_.player.kind() == PlayerKind::ffplay || setup_.player.kind() == PlayerKind::mpv;
  }
  [[nodiscard]] Milliseconds now() const {
    if (setup_.now) return setup_.now();
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }

  Fetcher& fetcher_;
  const PlaybackSetup& setup_;
  PlaybackView& view_;
  const Timeline timeline_;
  HeardClock spare_;
  HeardClock& own_;
  SeekKeys keys_;
  std::unique_ptr<PlayerFeed> feed_;
  std::optional<PlayClock> clock_;  // of the running player
  bool paused_ = false;
  StartPoint sought_;             // the target of the seek
  std::future<Result<>> search_;  // ready when the first chunk of the target has arrived
};

Result<> Playback::begin(const StartPoint& start) {
  clock_.emplace(start.time_ms, now());
  fetcher_.move_to(static_cast<std::uint32_t>(start.offset / fetcher_.manifest().chunk_size), moment());
  USHER_TRY(auto player, setup_.start ? setup_.start() : start_player(setup_.player, setup_.output));
  paused_ = false;
  const std::uint64_t end = tells() ? fetcher_.giving_end() : timeline_.size();
  feed_ = std::make_unique<PlayerFeed>(fetcher_, std::move(player), start, end);
  return {};
}

Moment Playback::moment() const {
  return {.clock_ms = clock_->position(),
          .own_ms = own_.heard_ms(),
          .more_ms = clock_->more(),
          .begun = clock_->begun(),
          .troubled = setup_.troubled && setup_.troubled()};
}

/// Reads the player's position, and updates own clock, fetcher and feed.
void Playback::look() {
  const Given given = feed_->given();
  const PlayClock::Step step =
      tells() ? clock_->look(feed_->player().clock(), given, paused_, now()) : clock_->look_taken(given, now());
  own_.add(step.from, step.to);
  fetcher_.listener_at(moment());
  if (tells()) feed_->allow(fetcher_.giving_end());
}

void Playback::show() {
  view_.position({.elapsed_ms = clock_->position(),
                  .total_ms = timeline_.duration(),
                  .paused = paused_,
                  .flow = clock_->flow(),
                  .counts = fetcher_.counts_from(),
                  .going_to = keys_.target(),
                  .typed = keys_.typed()});
}

void Playback::toggle_pause() {
  if (feed_->player().pause(!paused_)) {
    paused_ = !paused_;
  } else {
    view_.note("This player cannot be paused.");
  }
}

bool Playback::take_keys() {
  for (const Key key : view_.keys()) {
    if (key == Key::quit) return false;
    if (key == Key::pause) {
      toggle_pause();
      keys_.give_up();
    } else {
      keys_.press(key, clock_->position(), now());
    }
  }
  return true;
}

/// Whether to seek there. If not, notes the reason.
bool Playback::may_go(const StartPoint& start, const SeekKeys::Wish& wish) {
  if (setup_.player.kind() == PlayerKind::standard_output) {
    view_.note("What reads the output cannot be sent to another place.");
    return false;
  }
  if (!timeline_.can_seek() && wish.ms > 0) {
    view_.note("It plays on: this medium has no places to go to but its beginning.");
    return false;
  }
  const StartCost cost = fetcher_.cost_of(start);
  if (cost.repeats > 0 && fetcher_.plan().repeats_left() < kLastRepeats) {
    view_.note("It plays on: what is there would have to be sent once more, and this play has little left for that.");
    return false;
  }
  if (cost.counts && !wish.confirmed) {
    view_.note("At " + clock_text(start.time_ms) +
               " the play counts. Let go, and press the key again to go there all the same.");
    keys_.hold(wish, now());
    return false;
  }
  return true;
}

/// Begins a seek if the listener wants one. The sound continues until the first chunk of the target has arrived: the
/// server may be slow, or unreachable for a while.
Result<> Playback::go_on() {
  if (search_.valid()) return follow_search();
  const auto wish = keys_.settled(now());
  if (!wish) return {};
  const StartPoint start = timeline_.start_at(wish->ms);
  if (!may_go(start, *wish)) return {};
  sought_ = start;
  search_ = std::async(std::launch::async, [this, start]() -> Result<> {
    USHER_CHECK(fetcher_.at(static_cast<std::uint32_t>(start.offset / fetcher_.manifest().chunk_size)));
    return {};
  });
  return {};
}

Result<> Playback::follow_search() {
  if (search_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return {};
  USHER_CHECK(search_.get());
  feed_->stop();
  return begin(sought_);
}

/// Cancels the seek, and the fetching with it.
void Playback::end_search() {
  if (!search_.valid()) return;
  fetcher_.cancel();
  search_.wait();
  search_ = {};
  fetcher_.resume();
}

Result<PlaybackEnd> Playback::run() {
  auto end = listen();
  end_search();
  if (feed_) feed_->stop();
  // A failure after the listener interrupted the play is no error.
  if (!end && interrupted()) return PlaybackEnd{.finished = false, .elapsed_ms = clock_->position()};
  return end;
}

Result<PlaybackEnd> Playback::listen() {
  USHER_CHECK(begin(timeline_.start_at(setup_.start_ms)));
  for (;;) {
    const bool ended = feed_->player().poll(kTick);
    look();
    const std::uint64_t here = clock_->position();
    if (ended) {
      end_search();
      USHER_CHECK(feed_->end());
      own_.add(here, timeline_.duration());
      return PlaybackEnd{.finished = true, .elapsed_ms = timeline_.duration()};
    }
    show();
    if (interrupted() || !take_keys()) return PlaybackEnd{.finished = false, .elapsed_ms = here};
    USHER_CHECK(go_on());
  }
}

}  // namespace

Result<PlaybackEnd> play_back(Fetcher& fetcher, const PlaybackSetup& setup, PlaybackView& view) {
  return Playback(fetcher, setup, view).run();
}

}  // namespace usher::client
