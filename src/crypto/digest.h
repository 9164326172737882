// crypto/digest: SHA-2.
#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "crypto/ossl.h"

namespace usher::crypto {

enum class Digest : std::uint8_t { sha256, sha384, sha512 };

/// 32, 48 or 64 bytes.
[[nodiscard]] constexpr std::size_t size_of(Digest digest) noexcept {
  return digest == Digest::sha256 ? 32 : digest == Digest::sha384 ? 48 : 64;
}
/// OpenSSL's object, fetched once.
[[nodiscard]] const EVP_MD* ossl_of(Digest digest) noexcept;

/// The digest of the concatenated parts.
[[nodiscard]] Bytes digest_of(Digest digest, std::initializer_list<View> parts);
[[nodiscard]] Hash256 sha256(std::initializer_list<View> parts);
[[nodiscard]] inline Hash256 sha256(View bytes) { return sha256({bytes}); }

/// Hashes bytes piece by piece. One thread at a time. A copy continues from the same point.
class Hasher {
 public:
  explicit Hasher(Digest digest);
  Hasher(const Hasher& other);
  Hasher& operator=(const Hasher& other);
  Hasher(Hasher&&) noexcept = default;
  Hasher& operator=(Hasher&&) noexcept = default;
  ~Hasher() = default;

  void update(View bytes);
  /// The digest of all bytes so far. More bytes can be added afterwards.
  [[nodiscard]] Bytes value() const;
  [[nodiscard]] Digest digest() const noexcept { return digest_; }

 private:
  Digest digest_;
  MdCtxPtr context_;
};

}  // namespace usher::crypto
