// crypto/random: the system's random numbers through OpenSSL's generator.
#pragma once

#include "base/random.h"

namespace usher::crypto {

/// Thread-safe. Aborts when the generator fails: there is no safe way on without it.
class SystemRandom final : public Random {
 public:
  void fill(MutableView out) override;
};

}  // namespace usher::crypto
