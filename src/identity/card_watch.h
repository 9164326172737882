// identity/card_watch: notices that a card is taken out of its reader.  Spec: identity.md §9.11.
#pragma once

#include <functional>
#include <thread>

#include "identity/card.h"

namespace usher::identity {

inline constexpr Milliseconds kCardWatchInterval{500};  // between two looks

/// Watches one card at a time, from a thread of its own. begin() and end() from one thread at a time.
class CardWatch {
 public:
  /// Called once, from the watching thread: card_removed; module_failed, when the module can tell no longer.
  using Gone = std::function<void(const Error& why)>;

  CardWatch() = default;
  ~CardWatch() = default;  // ends the watch and the card
  CardWatch(const CardWatch&) = delete;
  CardWatch& operator=(const CardWatch&) = delete;

  /// Logs the card out: it is watched, and signs no more. Replaces what was watched.
  void begin(Card card, Gone gone, Milliseconds interval = kCardWatchInterval);
  /// No call of `gone` comes after it.
  void end() { thread_ = {}; }

 private:
  std::jthread thread_;
};

}  // namespace usher::identity
