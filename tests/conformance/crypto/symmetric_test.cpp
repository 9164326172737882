// Wycheproof: ciphers, MACs and HKDF through usher's wrappers.
#include "crypto/cipher.h"
#include "crypto/kdf.h"
#include "crypto/mac.h"
#include "wycheproof.h"

namespace usher::crypto {
namespace {

using test::Case;
using test::each_case;

void aead(const std::string& file, std::size_t least, std::initializer_list<Cipher> ciphers) {
  each_case(file, least, [&](const Case& now) {
    const Bytes key = now.hex("key");
    const Bytes nonce = now.hex("iv");
    const auto* cipher = std::ranges::find_if(ciphers, [&](Cipher c) { return traits_of(c).key_size == key.size(); });
    if (cipher == ciphers.end() || nonce.size() != kAeadNonceSize || now.group_number("tagSize") != 128) return false;
    const Bytes associated = now.hex("aad");
    const Bytes plaintext = now.hex("msg");
    const Bytes wanted = concat({now.hex("ct"), now.hex("tag")});
    Bytes opened(wanted.size() - kAeadTagSize);
    const auto result = aead_open(*cipher, key, nonce, associated, wanted, opened);
    EXPECT_EQ(result.has_value(), now.valid()) << now.name();
    Bytes sealed(plaintext.size() + kAeadTagSize);
    aead_seal(*cipher, key, nonce, associated, plaintext, sealed);
    EXPECT_EQ(sealed == wanted, now.valid()) << now.name();
    if (now.valid()) {
      EXPECT_EQ(opened, plaintext) << now.name();
    }
    return true;
  });
}

TEST(Wycheproof, AesGcm) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  aead("aes_gcm_test.json", 60, {Cipher::aes128_gcm, Cipher::aes256_gcm});
}

TEST(Wycheproof, ChaCha20Poly1305) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  aead("chacha20_poly1305_test.json", 150, {Cipher::chacha20_poly1305});
}

TEST(Wycheproof, AesCbc) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  each_case("aes_cbc_pkcs5_test.json", 70, [](const Case& now) {
    const Bytes key = now.hex("key");
    if (key.size() != 16 && key.size() != 32) return false;
    const Cipher cipher = key.size() == 16 ? Cipher::aes128_cbc : Cipher::aes256_cbc;
    const Bytes iv = now.hex("iv");
    const Bytes plaintext = now.hex("msg");
    const Bytes ciphertext = now.hex("ct");
    Bytes out(ciphertext.size());
    const auto size = decrypt(cipher, key, iv, ciphertext, out);
    EXPECT_EQ(size.has_value(), now.valid()) << now.name();
    if (!now.valid()) return true;
    EXPECT_TRUE(same(View{out}.first(size.value_or(0)), plaintext)) << now.name();
    Bytes again(ciphertext_size(traits_of(cipher), plaintext.size()));
    encrypt(cipher, key, iv, plaintext, again);
    EXPECT_EQ(again, ciphertext) << now.name();
    return true;
  });
}

void hmac_file(const std::string& file, Digest digest) {
  each_case(file, 90, [&](const Case& now) {
    const Secret key = Secret::take(now.hex("key"));
    const Bytes message = now.hex("msg");
    const Bytes tag = now.hex("tag");
    const HmacKey keyed(digest, key);
    const bool whole = tag.size() == size_of(digest);
    EXPECT_EQ(keyed.verify({message}, tag), whole && now.valid()) << now.name();
    // usher never truncates a MAC. The file's truncated value is the beginning of ours if, and only if, it is valid.
    const Bytes mac = hmac(digest, key.expose(), {message});
    EXPECT_EQ(same(View{mac}.first(tag.size()), tag), now.valid()) << now.name();
    return true;
  });
}

TEST(Wycheproof, HmacSha256) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hmac_file("hmac_sha256_test.json", Digest::sha256);
}
TEST(Wycheproof, HmacSha384) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hmac_file("hmac_sha384_test.json", Digest::sha384);
}
TEST(Wycheproof, HmacSha512) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hmac_file("hmac_sha512_test.json", Digest::sha512);
}

void hkdf_file(const std::string& file, Digest digest) {
  each_case(file, 45, [&](const Case& now) {
    const auto size = static_cast<std::size_t>(now.number("size"));
    if (size > 255 * size_of(digest)) {
      EXPECT_FALSE(now.valid()) << now.name();
      return false;  // a precondition of hkdf_expand, not an answer of it
    }
    const Secret prk = hkdf_extract(digest, now.hex("salt"), now.hex("ikm"));
    const Secret output = hkdf_expand(digest, prk, {now.hex("info")}, size);
    EXPECT_EQ(same(output.expose(), now.hex("okm")), now.valid()) << now.name();
    return true;
  });
}

TEST(Wycheproof, HkdfSha256) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hkdf_file("hkdf_sha256_test.json", Digest::sha256);
}
TEST(Wycheproof, HkdfSha384) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hkdf_file("hkdf_sha384_test.json", Digest::sha384);
}
TEST(Wycheproof, HkdfSha512) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  hkdf_file("hkdf_sha512_test.json", Digest::sha512);
}

}  // namespace
}  // namespace usher::crypto
