// Waiting for what another thread does: with a deadline that a busy machine keeps, so that a hang is a failure.
#pragma once

#include <chrono>
#include <thread>

namespace usher::test {

/// Whether `condition` became true within two minutes.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace usher::test
