// base/random: the source of random bytes, as an interface. Production uses crypto::SystemRandom.
#pragma once

#include "base/bytes.h"

namespace usher {

/// Fills a buffer with unpredictable bytes, or does not return (production: aborts if the system fails to supply them).
/// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableView out) = 0;

  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    fill(out);
    return out;
  }
  [[nodiscard]] Id128 id() { return array<16>(); }
};

}  // namespace usher
