// client/seek_keys: where a listener wants to go, from the keys. Pure: the time is an argument.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "client/terminal.h"

namespace usher::client {

/// Arrows add up while they are pressed one after the other, in steps that grow; the place is gone to when they rest.
/// A time is typed, and gone to with Enter.
class SeekKeys {
 public:
  struct Wish {
    std::uint64_t ms = 0;
    bool confirmed = false;  // asked for a second time, after hold()
  };
  explicit SeekKeys(std::uint64_t duration_ms) : duration_(duration_ms) {}

  /// `position`: where the player is now, in milliseconds.
  void press(Key key, std::uint64_t position, Milliseconds now);
  /// Where to go, once that is settled.
  [[nodiscard]] std::optional<Wish> settled(Milliseconds now);
  /// The wish needs a second press: the same key, once no arrow came for a second (so that a key that is still held
  /// confirms nothing), or Enter. Within ten seconds; any other key gives it up.
  void hold(const Wish& wish, Milliseconds now);
  void give_up() { held_.reset(); }

  /// For the line: the place that is being chosen, what has been typed.
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
  Milliseconds pressed_{0};  // when the last arrow was
  int streak_ = 0;           // arrows of one direction, one after the other
};

}  // namespace usher::client
