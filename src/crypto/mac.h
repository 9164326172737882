// crypto/mac: HMAC (RFC 2104), untruncated.
#pragma once

#include <initializer_list>

#include "crypto/digest.h"
#include "crypto/secret.h"

namespace usher::crypto {

/// HMAC of the concatenated parts; size_of(digest) bytes. Any key length.
[[nodiscard]] Bytes hmac(Digest digest, View key, std::initializer_list<View> parts);

/// An HMAC key that is set up once. `of` may be called from many threads at once.
class HmacKey {
 public:
  HmacKey(Digest digest, const Secret& key);
  [[nodiscard]] Bytes of(std::initializer_list<View> parts) const;
  /// Whether `mac` is the MAC of the parts, compared in constant time.
  [[nodiscard]] bool verify(std::initializer_list<View> parts, View mac) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_of(digest_); }

 private:
  Digest digest_;
  MacCtxPtr keyed_;
};

}  // namespace usher::crypto
