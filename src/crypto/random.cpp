#include "crypto/random.h"

#include <cstdlib>

#include <openssl/rand.h>

namespace usher::crypto {

void SystemRandom::fill(MutableView out) {
  if (out.empty()) return;
  if (RAND_bytes_ex(nullptr, out.data(), out.size(), 256) != 1) std::abort();
}

}  // namespace usher::crypto
