// crypto/key: long-term keys and their signatures.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/ossl.h"
#include "crypto/secret.h"

namespace usher::crypto {

/// Numbers as in TLS (RFC 8446 §4.2.3). RSA-PSS: MGF1 with the same digest, salt as long as the digest.
/// ECDSA signatures are DER (RFC 3279 §2.2.3).
enum class SignatureScheme : std::uint16_t {
  rsa_pkcs1_sha256 = 0x0401,  // cards only
  ecdsa_p256_sha256 = 0x0403,
  rsa_pss_sha256 = 0x0804,
};
[[nodiscard]] std::optional<SignatureScheme> scheme_of(std::uint16_t number) noexcept;

enum class KeyKind : std::uint8_t { rsa, p256 };
/// The keys that usher generates. Of keys made elsewhere it accepts RSA of 2048 to 4096 bits, too.
enum class NewKey : std::uint8_t { rsa2048, rsa3072, p256 };

/// A public key of a kind and size that usher accepts. Shared, immutable.
class PublicKey {
 public:
  /// Errors: malformed; bad_key (another kind or curve, RSA below 2048 or above 4096 bits or with an exponent that
  /// is even, 1 or above 2^33; P-256 with a compressed point or a curve that is not named).
  [[nodiscard]] static Result<PublicKey> from_spki(View der);
  /// Adds a reference to `key`. `spki`: the encoding that `key` was read from, if there is one; it is kept unchanged.
  [[nodiscard]] static Result<PublicKey> from_ossl(EVP_PKEY* key, Bytes spki = {});

  [[nodiscard]] KeyKind kind() const noexcept { return kind_; }
  /// SubjectPublicKeyInfo, DER.
  [[nodiscard]] const Bytes& spki() const noexcept { return spki_; }
  /// SHA-256 of spki().
  [[nodiscard]] Hash256 fingerprint() const;
  /// Whether a signature made with `scheme` can come from this kind of key.
  [[nodiscard]] bool fits(SignatureScheme scheme) const noexcept;
  /// Errors: bad_signature, also for a scheme that does not fit.
  [[nodiscard]] Result<> verify(SignatureScheme scheme, View message, View signature) const;
  [[nodiscard]] EVP_PKEY* ossl() const noexcept { return key_.get(); }

 private:
  friend class PrivateKey;
  PublicKey() = default;
  std::shared_ptr<EVP_PKEY> key_;
  KeyKind kind_ = KeyKind::p256;
  Bytes spki_;
};

/// A key that signs, in memory or on a token. Thread-safe.
class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual const PublicKey& public_key() const noexcept = 0;
  /// rsa_pss_sha256 for RSA, ecdsa_p256_sha256 for P-256, unless an implementation documents another.
  [[nodiscard]] virtual SignatureScheme scheme() const noexcept = 0;
  /// Errors: local, or the token's.
  [[nodiscard]] virtual Result<Bytes> sign(View message) const = 0;
};

/// A private key in memory. OpenSSL wipes it.
class PrivateKey final : public Signer {
 public:
  [[nodiscard]] static Result<PrivateKey> generate(NewKey kind);
  [[nodiscard]] static Result<PrivateKey> from_ossl(PKeyPtr key);
  /// Encrypted PKCS#8 (PBES2). Errors: unencrypted_key, bad_passphrase, malformed, bad_key.
  [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view pem, const Secret& passphrase);
  /// Encrypted PKCS#8 with scrypt (N = 2^14, r = 8, p = 3) and AES-256-CBC. Errors: local.
  [[nodiscard]] Result<std::string> to_pem(const Secret& passphrase) const;

  [[nodiscard]] const PublicKey& public_key() const noexcept override { return public_key_; }
  [[nodiscard]] SignatureScheme scheme() const noexcept override;
  [[nodiscard]] Result<Bytes> sign(View message) const override;
  [[nodiscard]] EVP_PKEY* ossl() const noexcept { return key_.get(); }

  /// Signs without padding, for another process that has its key here. `input`: for RSA a block as long as the modulus;
  /// for P-256 a digest of 32 bytes, and the result is r ‖ s (64 bytes). Errors: no_key_fits (another length, or it
  /// fails).
  [[nodiscard]] Result<Secret> sign_raw(View input) const;
  /// RSA without padding. Errors: no_key_fits (another kind or length, or it fails).
  [[nodiscard]] Result<Secret> decrypt_raw(View block) const;

  /// RSA-OAEP with SHA-256 and MGF1-SHA-256, `label` as its label. Errors: no_key_fits (another kind, or it fails).
  [[nodiscard]] Result<Secret> oaep_decrypt(View label, View wrapped) const;
  /// ECDH with an uncompressed P-256 point: 32 bytes. Errors: no_key_fits, bad_key_share.
  [[nodiscard]] Result<Secret> agree(View peer_point) const;

 private:
  explicit PrivateKey(PublicKey public_key) : public_key_(std::move(public_key)) {}
  std::shared_ptr<EVP_PKEY> key_;
  PublicKey public_key_;
};

/// RSA-OAEP as above, for the holder of `key`. Errors: bad_key (another kind, plaintext too long).
[[nodiscard]] Result<Bytes> oaep_encrypt(const PublicKey& key, View label, const Secret& plaintext);
/// The uncompressed point (65 bytes) of a P-256 key. Errors: bad_key.
[[nodiscard]] Result<Bytes> point_of(const PublicKey& key);

/// P1363 r ‖ s (64 bytes) to DER, for cards that sign raw. Errors: malformed.
[[nodiscard]] Result<Bytes> ecdsa_der_from_raw(View raw);
/// The reverse, for formats that want raw (JWS): DER to r ‖ s (64 bytes). Errors: malformed (also if it is not DER).
[[nodiscard]] Result<Bytes> ecdsa_raw_from_der(View der);

}  // namespace usher::crypto
