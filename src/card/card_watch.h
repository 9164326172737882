// card/card_watch: notices that a card is taken out of its reader.  Spec: identity.md §9.11.
#pragma once

#include <functional>
#include <thread>

#include "card/card.h"

namespace usher::card {

inline constexpr Milliseconds kCardWatchInterval{500};  // between two checks

/// Watches one card at a time, in its own thread. Call begin() and end() from one thread at a time.
class CardWatch {
 public:
  /// Called once, from the watching thread: card_removed; module_failed, if the module can no longer report it.
  using Gone = std::function<void(const Error& why)>;

  CardWatch() = default;
  ~CardWatch() = default;  // ends the watch and the card
  CardWatch(const CardWatch&) = delete;
  CardWatch& operator=(const CardWatch&) = delete;

  /// Logs the card out and watches it; it can no longer sign. Replaces the card that was watched before.
  void begin(Card card, Gone gone, Milliseconds interval = kCardWatchInterval);
  /// `gone` is not called after end() has returned.
  void end() { thread_ = {}; }

 private:
  std::jthread thread_;
};

}  // namespace usher::card
