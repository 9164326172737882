// base/random: where random bytes come from. The one for production is crypto::SystemRandom.
#pragma once

#include "base/bytes.h"

namespace usher {

/// Fills with unpredictable bytes, or does not return (production: aborts when the system has none). Thread-safe.
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
