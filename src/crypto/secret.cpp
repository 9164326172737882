#include "crypto/secret.h"

#include <openssl/crypto.h>

namespace usher::crypto {

void wipe(MutableView bytes) noexcept {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool equal_constant_time(View a, View b) noexcept {
  // house-rule(memcmp): this is the one comparison in constant time.
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void Secret::truncate(std::size_t size) noexcept {
  if (size >= bytes_.size()) return;
  wipe(MutableView{bytes_}.subspan(size));
  bytes_.resize(size);
}

void Secret::clear() noexcept {
  wipe(bytes_);
  bytes_.clear();
}

}  // namespace usher::crypto
