// crypto/group: Diffie-Hellman in named groups: x25519 (RFC 7748), ffdhe (RFC 7919), P-256.
#pragma once

#include <optional>

#include "base/random.h"
#include "base/result.h"
#include "crypto/ossl.h"
#include "crypto/secret.h"

namespace usher::crypto {

/// Numbers as in TLS (RFC 8446 §4.2.7).
enum class Group : std::uint16_t {
  p256 = 0x0017,
  x25519 = 0x001d,
  ffdhe2048 = 0x0100,
  ffdhe3072 = 0x0101,
  ffdhe4096 = 0x0102
};

[[nodiscard]] std::optional<Group> group_of(std::uint16_t number) noexcept;
[[nodiscard]] std::string_view name_of(Group group) noexcept;

/// p and g of a finite-field group, big endian without leading zeros; both empty for a curve.
struct GroupParameters {
  Bytes p;
  Bytes g;
};
[[nodiscard]] const GroupParameters& parameters_of(Group group);
/// Bytes of a public value: p's length (left-padded), 32 for x25519, 65 for P-256 (uncompressed point).
[[nodiscard]] std::size_t public_size(Group group) noexcept;

/// One side's ephemeral key, for one agreement only. The private value is wiped.
class EphemeralKey {
 public:
  /// Draws the private value from `random` (so that test vectors can fix it): 32 bytes for x25519 and P-256, twice the
  /// group's strength for ffdhe (RFC 7919 §5.2).  Errors: local.
  [[nodiscard]] static Result<EphemeralKey> generate(Group group, Random& random);

  [[nodiscard]] Group group() const noexcept { return group_; }
  [[nodiscard]] const Bytes& public_value() const noexcept { return public_value_; }

  /// The shared secret: left-padded to the length of p, or 32 bytes for a curve. Consumes the key.
  /// Errors: bad_key_share (size, range 1 < Y < p-1, a point not on the curve, an all-zero x25519 result).
  [[nodiscard]] Result<Secret> agree(View peer_public) &&;

 private:
  EphemeralKey(Group group, PKeyPtr key, Bytes public_value)
      : group_(group), key_(std::move(key)), public_value_(std::move(public_value)) {}

  Group group_;
  PKeyPtr key_;
  Bytes public_value_;
};

/// The same with the long-term P-256 key `own` (key.h), for sealed objects. Errors: bad_key_share.
[[nodiscard]] Result<Secret> agree_p256(EVP_PKEY* own, View peer_point);

}  // namespace usher::crypto
