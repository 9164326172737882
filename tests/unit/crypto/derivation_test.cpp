// Digests, MACs and key derivation. Their values against published vectors: tests/conformance/crypto.
#include <rapidcheck/gtest.h>

#include "base/encoding.h"
#include "crypto/kdf.h"
#include "crypto/mac.h"
#include "crypto/random.h"

namespace usher::crypto {
namespace {

constexpr Digest kDigests[] = {Digest::sha256, Digest::sha384, Digest::sha512};

TEST(Digest, TheValueOfAbcIsThatOfFips180) {
  EXPECT_EQ(to_hex(sha256(view_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(digest_of(Digest::sha384, {view_of("abc")})),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(digest_of(Digest::sha512, {view_of("abc")})).substr(0, 32), "ddaf35a193617abacc417349ae204131");
}

RC_GTEST_PROP(Digest, PartsAndTheWholeGiveOneValue, (const Bytes& a, const Bytes& b)) {
  for (const Digest digest : kDigests) RC_ASSERT(digest_of(digest, {a, b}) == digest_of(digest, {concat({a, b})}));
}

TEST(Hasher, ValueCanBeAskedForInTheMiddle) {
  Hasher hasher(Digest::sha256);
  hasher.update(view_of("a"));
  EXPECT_EQ(hasher.value(), digest_of(Digest::sha256, {view_of("a")}));
  hasher.update(view_of("bc"));
  EXPECT_EQ(hasher.value(), digest_of(Digest::sha256, {view_of("abc")}));
}

TEST(Hasher, ACopyGoesItsOwnWay) {
  Hasher first(Digest::sha384);
  first.update(view_of("a"));
  Hasher second(first);
  second.update(view_of("b"));
  Hasher third(Digest::sha256);
  third = first;
  EXPECT_EQ(first.value(), digest_of(Digest::sha384, {view_of("a")}));
  EXPECT_EQ(second.value(), digest_of(Digest::sha384, {view_of("ab")}));
  EXPECT_EQ(third.value(), first.value());
}

TEST(HmacKey, GivesWhatHmacGives) {
  for (const Digest digest : kDigests) {
    for (const std::size_t size : {0U, 1U, 32U, 64U, 128U, 129U, 300U}) {
      const Secret secret = Secret::take(Bytes(size, 0x5a));
      const HmacKey key(digest, secret);
      const Bytes mac = key.of({view_of("a"), view_of("b")});
      EXPECT_EQ(mac, hmac(digest, secret.expose(), {view_of("ab")})) << size;
      EXPECT_EQ(mac, key.of({view_of("ab")})) << "a second use";
      EXPECT_EQ(mac.size(), key.size());
    }
  }
}

TEST(HmacKey, EveryFlippedBitATruncatedAndALongerMacAreRefused) {
  const HmacKey key(Digest::sha256, Secret::take(Bytes(32, 1)));
  const Bytes mac = key.of({view_of("message")});
  EXPECT_TRUE(key.verify({view_of("message")}, mac));
  for (std::size_t bit = 0; bit < mac.size() * 8; ++bit) {
    Bytes changed = mac;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(key.verify({view_of("message")}, changed)) << bit;
  }
  for (std::size_t size = 0; size < mac.size(); ++size) {
    EXPECT_FALSE(key.verify({view_of("message")}, View{mac}.first(size))) << size;
  }
  EXPECT_FALSE(key.verify({view_of("message")}, concat({mac, Bytes{0}})));
}

// RFC 5869, test case 1.
TEST(Hkdf, IsThatOfRfc5869) {
  const Bytes salt = from_hex("000102030405060708090a0b0c").value();
  const Bytes info = from_hex("f0f1f2f3f4f5f6f7f8f9").value();
  const Secret prk = hkdf_extract(Digest::sha256, salt, Bytes(22, 0x0b));
  EXPECT_EQ(to_hex(prk.expose()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(to_hex(hkdf_expand(Digest::sha256, prk, {info}, 42).expose()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, AShorterOutputIsTheBeginningOfALongerOneUpToTheLimit) {
  for (const Digest digest : kDigests) {
    const Secret prk = Secret::take(Bytes(size_of(digest), 3));
    const Secret longest = hkdf_expand(digest, prk, {view_of("info")}, 255 * size_of(digest));
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, size_of(digest), size_of(digest) + 1}) {
      EXPECT_TRUE(same(hkdf_expand(digest, prk, {view_of("info")}, size).expose(), longest.expose().first(size)));
    }
  }
}

// RFC 7914 §12, the first vector. The second has a p that is refused here: with p = 4, the value is that of Python's
// hashlib.
TEST(Scrypt, IsThatOfRfc7914) {
  const auto key = scrypt(Secret::copy_of(view_of("password")), view_of("NaCl"), {.log2_n = 10, .r = 8, .p = 4}, 16);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(to_hex(key->expose()), "1ed1b3814e7bd065fea1b64fa617fb05");
  const auto empty = scrypt(Secret{}, {}, {.log2_n = 4, .r = 1, .p = 1}, 16);
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(to_hex(empty->expose()), "77d6576238657b203b19ca42c18a0497");
}

TEST(Scrypt, CostsAboveTheLimitAreRefusedBeforeAnyWork) {
  const auto refused = [](ScryptCost cost) {
    const auto key = scrypt(Secret::copy_of(view_of("x")), view_of("salt"), cost, 32);
    return !key && key.error().fault == Fault::unsupported;
  };
  EXPECT_TRUE(refused({.log2_n = 19}));
  EXPECT_TRUE(refused({.log2_n = 255}));
  EXPECT_TRUE(refused({.log2_n = 10, .r = 9}));
  EXPECT_TRUE(refused({.log2_n = 10, .p = 5}));
  EXPECT_TRUE(refused({.log2_n = 0}));
  EXPECT_TRUE(refused({.log2_n = 10, .r = 0}));
  EXPECT_TRUE(refused({.log2_n = 10, .p = 0}));
}

TEST(SystemRandom, NeverGivesTheSameTwice) {
  SystemRandom random;
  EXPECT_NE(random.array<32>(), random.array<32>());
  random.fill({});
}

}  // namespace
}  // namespace usher::crypto
