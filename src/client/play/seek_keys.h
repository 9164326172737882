// client/play/seek_keys: determines from the keys where the listener wants to seek. Pure: the time is an argument.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "client/terminal/terminal.h"

namespace usher::client {

/// Arrow keys move the target while they are pressed one after the other, in growing steps. The seek begins when no
/// arrow key was pressed for a while. Alternatively the user types a time and presses Enter.
class SeekKeys {
 public:
  struct Wish {
    std::uint64_t ms = 0;
    bool confirmed = false;  // pressed a second time, after hold()
  };
  explicit SeekKeys(std::uint64_t duration_ms) : duration_(duration_ms) {}

  /// `position`: where the player is now, in milliseconds.
  void press(Key key, std::uint64_t position, Milliseconds now);
  /// The target, once it is settled; empty before that. Returns each target once.
  [[nodiscard]] std::optional<Wish> settled(Milliseconds now);
  /// The wish needs a second press within ten seconds: either the same key, after a second without an arrow key (so
  /// that a key that is still held down confirms nothing), or Enter. Any other key cancels the wish.
  void hold(const Wish& wish, Milliseconds now);
  void give_up() { held_.reset(); }

  /// For the progress line: the position that the user is choosing, and the typed text.
  [[nodiscard]] std::optional<std::uint64_t> target() const noexcept { return target_; }
  [[nodiscard]] const std::string& typed() const noexcept { return typed_; }

 private:
  void step(Key key, std::uint64_t position, Milliseconds now);
  void type(Key key);

  std::uint64_t duration_;
  std::optional<std::uint64_t> target_;
  std::optional<Wish> ready_;
  std::optional<std::uint64_t> held_;
  Milliseconds held_at_{0};
  std::string typed_;
  Key last_ = Key::pause;
  Milliseconds pressed_{0};  // when an arrow was last pressed
  int streak_ = 0;           // arrows of one direction, one after the other
};

}  // namespace usher::client
