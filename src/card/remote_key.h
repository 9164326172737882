// card/remote_key: makes a private key that is elsewhere, on a token or at the login agent, an OpenSSL key.
#pragma once

#include <memory>

#include "card/pkcs11.h"
#include "crypto/key.h"

namespace usher::card {

/// Performs the private operations. Thread-safe.
class RemoteKey {
 public:
  virtual ~RemoteKey() = default;
  [[nodiscard]] virtual const crypto::PublicKey& public_key() const noexcept = 0;
  /// RSA: a block as long as the modulus, padded. P-256: r ‖ s (64 bytes) over a digest of 32 bytes.
  /// Errors: those of the token or agent that has the key.
  [[nodiscard]] virtual Result<crypto::Secret> raw(p11::RawUse use, View input) = 0;
  /// ECDH with an uncompressed P-256 point: 32 bytes. Errors: as raw().
  [[nodiscard]] virtual Result<crypto::Secret> agree(View point) = 0;
};

/// A key that OpenSSL uses like any other: for channels, TLS, licences and sealed objects. Errors: local.
[[nodiscard]] Result<crypto::PrivateKey> key_over(std::shared_ptr<RemoteKey> remote);

}  // namespace usher::card
