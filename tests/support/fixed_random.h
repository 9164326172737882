// support/fixed_random: a Random that returns the bytes that the test chose.
#pragma once

#include <gtest/gtest.h>

#include "base/random.h"

namespace usher::test {

/// Returns the bytes of a list, in order. A test that requests more than the list has fails, and gets zeros.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableView out) override {
    std::ranges::fill(out, std::uint8_t{0});
    if (bytes_.size() - used_ < out.size()) {
      ADD_FAILURE() << "more random bytes were asked for than the test has";
      return;
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
    used_ += out.size();
  }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - used_; }

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

/// Counts up from a seed: different bytes each time, the same ones each run. Never for anything but tests.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint64_t seed = 1) : state_(seed) {}
  void fill(MutableView out) override {
    for (std::uint8_t& byte : out) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace usher::test
