// crypto/random: random bytes of the system, from OpenSSL's generator.
#pragma once

#include "base/random.h"

namespace usher::crypto {

/// Thread-safe. Aborts if the generator fails: the program cannot continue safely without it.
class SystemRandom final : public Random {
 public:
  void fill(MutableView out) override;
};

}  // namespace usher::crypto
