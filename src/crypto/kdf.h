// crypto/kdf: HKDF (RFC 5869) and scrypt (RFC 7914).
#pragma once

#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/secret.h"

namespace usher::crypto {

/// The pseudorandom key, size_of(digest) bytes.
[[nodiscard]] Secret hkdf_extract(Digest digest, View salt, View input);

/// `size` bytes of output. Precondition: size <= 255 * size_of(digest).
[[nodiscard]] Secret hkdf_expand(Digest digest, const Secret& prk, std::initializer_list<View> info, std::size_t size);
/// The same with a key that is set up once, for many expansions.
[[nodiscard]] Secret hkdf_expand(const HmacKey& prk, std::initializer_list<View> info, std::size_t size);

struct ScryptCost {
  std::uint8_t log2_n = 17;  // 128 MiB with r = 8
  std::uint32_t r = 8;
  std::uint32_t p = 1;
};
/// The highest cost that an opener accepts from a header that is not authenticated yet.
inline constexpr ScryptCost kMaxScrypt{.log2_n = 18, .r = 8, .p = 4};

/// Errors: unsupported, when a cost is 0 or above kMaxScrypt's.
[[nodiscard]] Result<Secret> scrypt(const Secret& passphrase, View salt, ScryptCost cost, std::size_t size);

}  // namespace usher::crypto
