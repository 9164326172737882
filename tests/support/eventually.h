// support/eventually: waits for what another thread, process or peer does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace usher::test {

/// Far more than anything takes on a loaded machine, and less than a test's time limit: a longer wait is in vain.
inline constexpr std::chrono::seconds kPatience{60};

/// Checks again and again until `condition` holds. Returns whether it held within kPatience.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    // house-rule(sleep): between two looks, within a deadline
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Waits for a signal of `changed` that makes `condition` hold; `lock` is of the mutex that guards it.
template <class Condition>
[[nodiscard]] bool eventually(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                              Condition condition) {
  return changed.wait_for(lock, kPatience, condition);
}

}  // namespace usher::test
