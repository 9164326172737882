// crypto/cipher: encryption for the channel and for sealed objects. The functions keep no state.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace usher::crypto {

enum class Cipher : std::uint8_t {
  aes128_gcm,
  aes256_gcm,
  chacha20_poly1305,  // the three up to here: AEADs, 12-byte nonce, 16-byte tag
  aes128_cbc,
  aes256_cbc,
  aes128_cfb,
  aes256_cfb,
  aes256_ctr,
  chacha20,  // from aes128_cbc to here: not AEADs, need a separate MAC
};

struct CipherTraits {
  std::uint8_t key_size;    // bytes
  std::uint8_t iv_size;     // bytes; ChaCha20: 16, the block counter (4 bytes, little endian) and the nonce
  std::uint8_t tag_size;    // bytes; 0: not an AEAD
  std::uint8_t block_size;  // bytes; 16 for CBC, which pads (PKCS#7); 1 otherwise
};
[[nodiscard]] CipherTraits traits_of(Cipher cipher) noexcept;

inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;

/// Bytes of ciphertext for `size` bytes of plaintext: CBC pads to the next whole block, the others keep the length.
[[nodiscard]] constexpr std::size_t ciphertext_size(CipherTraits traits, std::size_t size) noexcept {
  return traits.block_size == 1 ? size : (size / traits.block_size + 1) * traits.block_size;
}

/// AEAD. Writes plaintext.size() + 16 bytes to `out`, which may start at plaintext.data() (in place).
/// Preconditions: an AEAD, key and nonce of its sizes, `out` of that size.
void aead_seal(Cipher cipher, View key, View nonce, View associated, View plaintext, MutableView out);
/// The same for a plaintext in several parts, in order, without joining them first. No part may lie in `out`.
void aead_seal(Cipher cipher, View key, View nonce, View associated, std::span<const View> parts, MutableView out);

/// Writes sealed.size() - 16 bytes to `out`, which may start at sealed.data(). On error `out` is wiped.
/// Errors: record_refused, the tag is wrong; malformed, shorter than a tag.
[[nodiscard]] Result<> aead_open(Cipher cipher, View key, View nonce, View associated, View sealed, MutableView out);

/// For a cipher that is not an AEAD. Writes ciphertext_size() bytes to `out`. Preconditions: key, IV and `out` have the
/// sizes of the cipher.
void encrypt(Cipher cipher, View key, View iv, View plaintext, MutableView out);
/// The same for a plaintext in several parts. No part may lie in `out`.
void encrypt(Cipher cipher, View key, View iv, std::span<const View> parts, MutableView out);

/// Writes to `out` (as large as the ciphertext) and returns the plaintext's size. Verify the MAC before this call.
/// Errors: malformed, CBC with a wrong length or padding.
[[nodiscard]] Result<std::size_t> decrypt(Cipher cipher, View key, View iv, View ciphertext, MutableView out);

}  // namespace usher::crypto
