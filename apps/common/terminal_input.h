// common/terminal_input: waiting for a key while signals may arrive.
#pragma once

#include <concepts>

#include <poll.h>

namespace usher::app {

/// Waits until `terminal` can be read without blocking, or has ended: true; or until `stopped()` is true: false.
/// `stopped` is checked at intervals, so that a signal whose handler runs just before the wait is not lost, whichever
/// thread runs the handler.
[[nodiscard]] bool wait_for_input(int terminal, std::predicate auto stopped) {
  constexpr int kInterval = 100;  // ms between checks of `stopped`
  while (!stopped()) {
    pollfd one{.fd = terminal, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, kInterval) > 0) return true;
  }
  return false;
}

}  // namespace usher::app
