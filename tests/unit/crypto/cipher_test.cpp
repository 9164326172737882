#include "crypto/cipher.h"

#include <rapidcheck/gtest.h>

#include "base/encoding.h"

namespace usher::crypto {
namespace {

constexpr Cipher kAeads[] = {Cipher::aes128_gcm, Cipher::aes256_gcm, Cipher::chacha20_poly1305};
constexpr Cipher kOthers[] = {Cipher::aes128_cbc, Cipher::aes256_cbc, Cipher::aes128_cfb,
                              Cipher::aes256_cfb, Cipher::aes256_ctr, Cipher::chacha20};

Bytes filled(std::size_t size, std::uint8_t with) { return Bytes(size, with); }

struct Sealed {
  Bytes key;
  Bytes nonce = filled(kAeadNonceSize, 2);
  Bytes bytes;
};
Sealed seal(Cipher cipher, View associated, View plaintext) {
  Sealed sealed{.key = filled(traits_of(cipher).key_size, 1), .bytes = Bytes(plaintext.size() + kAeadTagSize)};
  aead_seal(cipher, sealed.key, sealed.nonce, associated, plaintext, sealed.bytes);
  return sealed;
}

class Aead : public testing::TestWithParam<Cipher> {};
INSTANTIATE_TEST_SUITE_P(All, Aead, testing::ValuesIn(kAeads));

TEST_P(Aead, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 65536U}) {
    const Bytes plaintext = filled(size, 7);
    const Sealed sealed = seal(GetParam(), view_of("header"), plaintext);
    Bytes opened(size);
    ASSERT_TRUE(aead_open(GetParam(), sealed.key, sealed.nonce, view_of("header"), sealed.bytes, opened).has_value());
    EXPECT_EQ(opened, plaintext);
  }
}

TEST_P(Aead, WorksInPlace) {
  const Bytes plaintext = filled(100, 7);
  const Bytes key = filled(traits_of(GetParam()).key_size, 1);
  const Bytes nonce = filled(kAeadNonceSize, 2);
  Bytes buffer = plaintext;
  buffer.resize(116);
  aead_seal(GetParam(), key, nonce, {}, View{buffer}.first(100), buffer);
  EXPECT_EQ(buffer, seal(GetParam(), {}, plaintext).bytes);
  ASSERT_TRUE(aead_open(GetParam(), key, nonce, {}, buffer, MutableView{buffer}.first(100)).has_value());
  EXPECT_TRUE(same(View{buffer}.first(100), plaintext));
}

TEST_P(Aead, EveryFlippedBitIsRefusedAndNothingIsHandedOut) {
  const Sealed sealed = seal(GetParam(), view_of("header"), view_of("a short plaintext"));
  for (std::size_t bit = 0; bit < sealed.bytes.size() * 8; ++bit) {
    Bytes changed = sealed.bytes;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    Bytes opened(sealed.bytes.size() - kAeadTagSize, 0xee);
    const auto result = aead_open(GetParam(), sealed.key, sealed.nonce, view_of("header"), changed, opened);
    ASSERT_FALSE(result.has_value()) << bit;
    EXPECT_EQ(result.error().fault, Fault::record_refused);
    EXPECT_EQ(opened, filled(opened.size(), 0));
  }
}

TEST_P(Aead, AnotherHeaderNonceOrKeyIsRefused) {
  const Sealed sealed = seal(GetParam(), view_of("header"), view_of("plaintext"));
  Bytes opened(9);
  const auto refused = [&](View key, View nonce, View associated) {
    const auto result = aead_open(GetParam(), key, nonce, associated, sealed.bytes, opened);
    return !result && result.error().fault == Fault::record_refused;
  };
  EXPECT_TRUE(refused(sealed.key, sealed.nonce, view_of("Header")));
  EXPECT_TRUE(refused(sealed.key, sealed.nonce, {}));
  EXPECT_TRUE(refused(sealed.key, filled(kAeadNonceSize, 3), view_of("header")));
  EXPECT_TRUE(refused(filled(sealed.key.size(), 9), sealed.nonce, view_of("header")));
}

TEST_P(Aead, WhatIsShorterThanATagIsMalformed) {
  const Bytes key = filled(traits_of(GetParam()).key_size, 1);
  const auto result = aead_open(GetParam(), key, filled(kAeadNonceSize, 2), {}, filled(15, 0), {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().fault, Fault::malformed);
}

class Plain : public testing::TestWithParam<Cipher> {};
INSTANTIATE_TEST_SUITE_P(All, Plain, testing::ValuesIn(kOthers));

TEST_P(Plain, DecryptsWhatItEncrypted) {
  const CipherTraits traits = traits_of(GetParam());
  const Bytes key = filled(traits.key_size, 1);
  const Bytes iv = filled(traits.iv_size, 2);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U, 65537U}) {
    const Bytes plaintext = filled(size, 7);
    Bytes ciphertext(ciphertext_size(traits, size));
    encrypt(GetParam(), key, iv, plaintext, ciphertext);
    Bytes out(ciphertext.size());
    const auto decrypted = decrypt(GetParam(), key, iv, ciphertext, out);
    ASSERT_TRUE(decrypted.has_value()) << size;
    out.resize(*decrypted);
    EXPECT_EQ(out, plaintext);
  }
}

TEST(Cbc, ALengthThatIsNotWholeBlocksIsMalformed) {
  for (const std::size_t size : {0U, 1U, 15U, 17U}) {
    Bytes out(size);
    const auto result = decrypt(Cipher::aes256_cbc, filled(32, 1), filled(16, 2), filled(size, 3), out);
    ASSERT_FALSE(result.has_value()) << size;
    EXPECT_EQ(result.error().fault, Fault::malformed);
  }
}

TEST(Cbc, WrongPaddingIsMalformedAndNothingIsHandedOut) {
  Bytes ciphertext(32);
  encrypt(Cipher::aes256_cbc, filled(32, 1), filled(16, 2), filled(16, 7), ciphertext);
  ciphertext[15] ^= 0x55;  // the last byte of the padding
  Bytes out(32, 0xee);
  const auto result = decrypt(Cipher::aes256_cbc, filled(32, 1), filled(16, 2), ciphertext, out);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().fault, Fault::malformed);
  EXPECT_EQ(out, filled(32, 0));
}

// RFC 8439 §2.4.2, with the block counter in the first four bytes of the IV.
TEST(ChaCha20, TheIvIsBlockCounterAndNonce) {
  Bytes key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  const Bytes iv = from_hex("01000000000000000000004a00000000").value();
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  Bytes out(text.size());
  encrypt(Cipher::chacha20, key, iv, view_of(text), out);
  EXPECT_EQ(to_hex(View{out}.first(16)), "6e2e359a2568f98041ba0728dd0d6981");
}

}  // namespace
}  // namespace usher::crypto
