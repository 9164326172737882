#include "card/card_watch.h"

#include <condition_variable>
#include <mutex>

namespace usher::card {
namespace {

/// Waits for `interval`. False if the watch was stopped.
bool wait(const std::stop_token& stop, Milliseconds interval) {
  std::mutex lock;
  std::condition_variable_any changed;
  std::unique_lock guard(lock);
  return !changed.wait_for(guard, stop, interval, [] { return false; }) && !stop.stop_requested();
}

void watch(const std::stop_token& stop, Card card, const CardWatch::Gone& gone, Milliseconds interval) {
  Result<> there = card.logout();
  while (there && wait(stop, interval)) there = card.present();
  if (!there && !stop.stop_requested()) gone(there.error());
}

}  // namespace

void CardWatch::begin(Card card, Gone gone, Milliseconds interval) {
  end();
  thread_ = std::jthread([card = std::move(card), gone = std::move(gone), interval](
                             const std::stop_token& stop) mutable { watch(stop, std::move(card), gone, interval); });
}

}  // namespace usher::card
