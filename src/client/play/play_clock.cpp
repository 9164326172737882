#include "client/play/play_clock.h"

#include <algorithm>

namespace usher::client {
namespace {

constexpr Milliseconds kStall{1'000};      // without progress, before a player is given more
constexpr Milliseconds kSilence{5'000};    // without progress, before the line shows it
constexpr std::uint64_t kStep = 2'000;     // milliseconds of the medium by which `more_` grows
constexpr std::uint64_t kMost = 60'000;    // milliseconds: the maximum of `more_`
constexpr std::uint64_t kPlenty = 2'000;   // milliseconds that are enough for any player to play
constexpr std::uint64_t kNearlyOut = 500;  // milliseconds before the end of what was given
constexpr std::uint64_t kJump = 1'000;     // milliseconds: a larger jump of the clock must be seen twice

}  // namespace

/// The position for the player's clock. If the player was started in the middle, its clock counts from there in some
/// formats (Ogg), and from 0 in others (MPEG).
std::uint64_t PlayClock::place_of(double shown) {
  const auto milliseconds = static_cast<std::uint64_t>(std::max(shown, 0.0) * 1000);
  if (!absolute_) absolute_ = milliseconds > start_ / 2;
  return *absolute_ ? milliseconds : start_ + milliseconds;
}

PlayClock::Step PlayClock::look(std::optional<double> shown, const Given& given, bool paused, Milliseconds now) {
  const auto passed = static_cast<std::uint64_t>(std::max<std::int64_t>((now - last_).count(), 0));
  last_ = now;
  const std::uint64_t before = position_;
  if (shown) {
    // ffplay's clock keeps running when it has nothing to play.
    const std::uint64_t place = std::min(place_of(*shown), given.ms);
    // After a pause the clock may jump for a moment, as if the player had played during the pause. So a jump counts
    // only if the next call still shows it.
    const bool far = place > position_ + passed + kJump;
    if (!far || (jumped_ && place >= *jumped_)) {
      position_ = std::max(position_, place);
      jumped_.reset();
    } else {
      jumped_ = place;
    }
  }
  if (position_ != before) {
    if (before == start_) to_begin_ = more_;
    more_ = to_begin_;
  }
  if (position_ != before || paused) moved_ = now;
  if (paused) {
    flow_ = Flow::playing;
  } else {
    judge(given, now);
  }
  return {.from = before, .to = position_};
}

PlayClock::Step PlayClock::look_taken(const Given& given, Milliseconds now) {
  const std::uint64_t before = position_;
  position_ = std::max(position_, given.ms);
  if (position_ != before) moved_ = now;
  last_ = now;
  flow_ = given.need == Given::Need::server && now - moved_ >= kStall ? Flow::waiting : Flow::playing;
  return {.from = before, .to = position_};
}

void PlayClock::judge(const Given& given, Milliseconds now) {
  const Milliseconds still = now - moved_;
  const std::uint64_t left = given.ms > position_ ? given.ms - position_ : 0;
  const bool starves = given.need == Given::Need::limit || given.need == Given::Need::held;
  if (starves && still >= kStall && now - stepped_.value_or(moved_) >= kStall && more_ < kMost) {
    // For a player that has not begun, `more_` doubles each time: the player may still be detecting the format.
    more_ = std::min(more_ + (position_ == start_ ? std::max(kStep, more_) : kStep), kMost);
    stepped_ = now;
  }
  if (still < kStall) stepped_.reset();
  flow_ = Flow::playing;
  if (given.need == Given::Need::server && (left <= kNearlyOut || still >= kStall)) flow_ = Flow::waiting;
  if (given.need != Given::Need::server && still >= kSilence && left >= kPlenty) flow_ = Flow::silent;
}

}  // namespace usher::client
