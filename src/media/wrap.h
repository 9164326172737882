// media/wrap: encrypts the key of a sealed object for each recipient.  Spec: sealed.md §4.
#pragma once

#include "base/random.h"
#include "crypto/kdf.h"
#include "crypto/key.h"

namespace usher::media {

inline constexpr std::size_t kObjectKeySize = 32;  // bytes
inline constexpr std::size_t kKekSize = 32;        // bytes: key-encryption keys

enum class Suite : std::uint8_t { aes256_gcm = 1, aes256_ctr_hmac_sha256 = 2 };

enum class WrapType : std::uint8_t { passphrase = 1, rsa_oaep = 2, ecdh_p256 = 3, kek = 4 };

struct Recipient {
  std::uint8_t type = 0;  // WrapType, or a number of a later version
  Bytes params;
  Bytes wrapped;
};

/// The context to which every wrap is bound.
struct WrapContext {
  Suite suite;
  Id128 object;
  /// "usher/1 wrap" ‖ 0 ‖ type ‖ suite ‖ object id.
  [[nodiscard]] Bytes bytes(WrapType type) const;
};

/// Encrypts an object key for one recipient.
class Wrapper {
 public:
  virtual ~Wrapper() = default;
  /// Errors: bad_key, unsupported (costs), local.
  [[nodiscard]] virtual Result<Recipient> wrap(const crypto::Secret& object_key, const WrapContext& context,
                                               Random& random) const = 0;
};

/// Decrypts an object key. Thread-safe.
class Unwrapper {
 public:
  virtual ~Unwrapper() = default;
  /// kObjectKeySize bytes. Errors: no_key_fits, meant for another key (the next recipient is tried); every other
  /// error ends the opening: bad_passphrase, header_damaged, unsupported, a token's.
  [[nodiscard]] virtual Result<crypto::Secret> unwrap(const Recipient& recipient, const WrapContext& context) const = 0;
};

class PassphraseWrapper final : public Wrapper {
 public:
  explicit PassphraseWrapper(crypto::Secret passphrase, crypto::ScryptCost cost = {})
      : passphrase_(std::move(passphrase)), cost_(cost) {}
  [[nodiscard]] Result<Recipient> wrap(const crypto::Secret& object_key, const WrapContext& context,
                                       Random& random) const override;

 private:
  crypto::Secret passphrase_;
  crypto::ScryptCost cost_;
};

class PassphraseUnwrapper final : public Unwrapper {
 public:
  explicit PassphraseUnwrapper(crypto::Secret passphrase) : passphrase_(std::move(passphrase)) {}
  [[nodiscard]] Result<crypto::Secret> unwrap(const Recipient& recipient, const WrapContext& context) const override;

 private:
  crypto::Secret passphrase_;
};

/// For the holder of a public key: RSA-OAEP, or ECDH on P-256.
class PublicKeyWrapper final : public Wrapper {
 public:
  explicit PublicKeyWrapper(crypto::PublicKey key) : key_(std::move(key)) {}
  [[nodiscard]] Result<Recipient> wrap(const crypto::Secret& object_key, const WrapContext& context,
                                       Random& random) const override;

 private:
  crypto::PublicKey key_;
};

class PrivateKeyUnwrapper final : public Unwrapper {
 public:
  explicit PrivateKeyUnwrapper(crypto::PrivateKey key) : key_(std::move(key)) {}
  [[nodiscard]] Result<crypto::Secret> unwrap(const Recipient& recipient, const WrapContext& context) const override;

 private:
  crypto::PrivateKey key_;
};

/// Wraps and unwraps with a symmetric key-encryption key of kKekSize bytes, such as the vault key.
class Kek final : public Wrapper, public Unwrapper {
 public:
  explicit Kek(crypto::Secret key);
  [[nodiscard]] Result<Recipient> wrap(const crypto::Secret& object_key, const WrapContext& context,
                                       Random& random) const override;
  [[nodiscard]] Result<crypto::Secret> unwrap(const Recipient& recipient, const WrapContext& context) const override;

 private:
  crypto::Secret key_;
  Id128 name_;
};

}  // namespace usher::media
