#include "client/play/seek_keys.h"

#include <algorithm>
#include <utility>

namespace usher::client {
namespace {

constexpr Milliseconds kStreak{600};   // maximum between arrows of one streak; a held key starts to repeat within it
constexpr Milliseconds kRest{700};     // without an arrow: the seek begins; longer than kStreak
constexpr Milliseconds kLetGo{1'000};  // without an arrow: the key was released
constexpr Milliseconds kHold{10'000};  // how long a wish waits for its second press
constexpr Milliseconds kRepeat{80};    // faster repetitions of a held key count as one
constexpr std::size_t kMaxTyped = 8;   // characters
constexpr int kShort = 4;              // up to this number of arrows: the first step
constexpr int kMiddle = 12;            // up to this number: the second step

std::uint64_t step_of(int streak) {
  if (streak <= kShort) return 10'000;
  return streak <= kMiddle ? 30'000 : 60'000;
}

}  // namespace

void SeekKeys::press(Key key, std::uint64_t position, Milliseconds now) {
  const bool arrow = key == Key::back || key == Key::forward;
  if (held_ && now - held_at_ <= kHold) {
    const bool let_go = now - pressed_ >= kLetGo;
    if (arrow && key == last_ && !let_go) {
      pressed_ = now;
      return;
    }
    if (key == last_ || key == Key::enter) {
      ready_ = {.ms = *std::exchange(held_, std::nullopt), .confirmed = true};
      target_.reset();
      streak_ = 0;
      return;
    }
  }
  held_.reset();
  last_ = key;
  if (arrow) {
    typed_.clear();
    step(key, position, now);
  } else {
    type(key);
  }
}

void SeekKeys::hold(const Wish& wish, Milliseconds now) {
  held_ = wish.ms;
  held_at_ = now;
}

void SeekKeys::step(Key key, std::uint64_t position, Milliseconds now) {
  const bool same_way = target_ && (*target_ >= position) == (key == Key::forward);
  const Milliseconds since = now - pressed_;
  if (streak_ > 0 && same_way && since < kRepeat) return;
  streak_ = same_way && since <= kStreak ? streak_ + 1 : 1;
  pressed_ = now;
  const std::uint64_t from = target_.value_or(position);
  const std::uint64_t by = step_of(streak_);
  if (key == Key::back) {
    target_ = from > by ? from - by : 0;
  } else if (from + by < duration_) {
    target_ = from + by;
  }
}

void SeekKeys::type(Key key) {
  if (is_of_time(key) && typed_.size() < kMaxTyped) {
    typed_.push_back(static_cast<char>(key));
  } else if (key == Key::erase && !typed_.empty()) {
    typed_.pop_back();
  } else if (key == Key::enter) {
    const auto time = time_of_text(std::exchange(typed_, {}));
    if (time) ready_ = {.ms = std::min(*time, duration_ > 0 ? duration_ - 1 : 0)};
  }
}

std::optional<SeekKeys::Wish> SeekKeys::settled(Milliseconds now) {
  if (target_ && now - pressed_ >= kRest) {
    ready_ = {.ms = *std::exchange(target_, std::nullopt)};
    streak_ = 0;
  }
  return std::exchange(ready_, std::nullopt);
}

}  // namespace usher::client
