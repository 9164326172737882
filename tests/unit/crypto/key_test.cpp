#include "crypto/key.h"

#include <algorithm>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "crypto/group.h"

namespace usher::crypto {
namespace {

const View kMessage = view_of("what is signed");

/// One key of each kind for all tests: RSA keys take their time.
const PrivateKey& rsa_key() {
  static const PrivateKey key = PrivateKey::generate(NewKey::rsa2048).value();
  return key;
}
const PrivateKey& p256_key() {
  static const PrivateKey key = PrivateKey::generate(NewKey::p256).value();
  return key;
}
Secret passphrase(std::string_view text) { return Secret::copy_of(view_of(text)); }

std::string pem_of(EVP_PKEY* key, const EVP_CIPHER* cipher, std::string_view phrase) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, phrase.data(), static_cast<int>(phrase.size()),
                                          nullptr, nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class EveryKind : public testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] static const PrivateKey& key() { return GetParam() ? rsa_key() : p256_key(); }
  [[nodiscard]] static const PrivateKey& other_kind() { return GetParam() ? p256_key() : rsa_key(); }
};
INSTANTIATE_TEST_SUITE_P(All, EveryKind, testing::Bool());

TEST_P(EveryKind, VerifiesWhatItSigned) {
  const Bytes signature = key().sign(kMessage).value();
  EXPECT_TRUE(key().public_key().verify(key().scheme(), kMessage, signature).has_value());
}

TEST_P(EveryKind, AnotherMessageKeySchemeOrSignatureIsRefused) {
  const Bytes signature = key().sign(kMessage).value();
  const auto refused = [](const PublicKey& by, SignatureScheme scheme, View message, View what) {
    const auto result = by.verify(scheme, message, what);
    return !result && result.error().fault == Fault::bad_signature;
  };
  const PublicKey& own = key().public_key();
  EXPECT_TRUE(refused(own, key().scheme(), view_of("something else"), signature));
  EXPECT_TRUE(refused(own, key().scheme(), {}, signature));
  EXPECT_TRUE(refused(own, key().scheme(), kMessage, {}));
  EXPECT_TRUE(refused(own, key().scheme(), kMessage, View{signature}.first(signature.size() - 1)));
  EXPECT_TRUE(refused(own, SignatureScheme::rsa_pkcs1_sha256, kMessage, signature));
  EXPECT_TRUE(refused(own, other_kind().scheme(), kMessage, signature));
  EXPECT_TRUE(refused(other_kind().public_key(), other_kind().scheme(), kMessage, signature));
  Bytes changed = signature;
  changed[changed.size() / 2] ^= 1;
  EXPECT_TRUE(refused(own, key().scheme(), kMessage, changed));
}

TEST_P(EveryKind, SpkiRoundTrips) {
  const PublicKey& own = key().public_key();
  const auto read = PublicKey::from_spki(own.spki());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->spki(), own.spki());
  EXPECT_EQ(read->fingerprint(), own.fingerprint());
  EXPECT_EQ(read->kind(), own.kind());
  EXPECT_TRUE(read->verify(key().scheme(), kMessage, key().sign(kMessage).value()).has_value());
}

TEST_P(EveryKind, SpkiThatIsCutShortOrTooLongIsRefused) {
  Bytes der = key().public_key().spki();
  EXPECT_EQ(PublicKey::from_spki(View{der}.first(der.size() - 1)).error().fault, Fault::malformed);
  EXPECT_EQ(PublicKey::from_spki({}).error().fault, Fault::malformed);
  der.push_back(0);
  EXPECT_EQ(PublicKey::from_spki(der).error().fault, Fault::malformed);
}

TEST_P(EveryKind, EncryptedPemRoundTrips) {
  const std::string pem = key().to_pem(passphrase("correct horse")).value();
  EXPECT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
  const auto read = PrivateKey::from_pem(pem, passphrase("correct horse"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->public_key().spki(), key().public_key().spki());
  EXPECT_NE(pem, key().to_pem(passphrase("correct horse")).value()) << "salt and IV are fresh";
}

TEST_P(EveryKind, AWrongPassphraseIsRefused) {
  const std::string pem = key().to_pem(passphrase("correct horse")).value();
  for (const std::string_view wrong : {"correct horsf", "", "correct horse "}) {
    const auto read = PrivateKey::from_pem(pem, passphrase(wrong));
    ASSERT_FALSE(read.has_value()) << wrong;
    EXPECT_EQ(read.error().fault, Fault::bad_passphrase) << wrong;
  }
}

TEST_P(EveryKind, APlaintextKeyIsRefused) {
  const auto read = PrivateKey::from_pem(pem_of(key().ossl(), nullptr, {}), passphrase("x"));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().fault, Fault::unencrypted_key);
}

TEST_P(EveryKind, Pbkdf2OfOpensslIsTaken) {
  const std::string pem = pem_of(key().ossl(), EVP_aes_256_cbc(), "from openssl");
  const auto read = PrivateKey::from_pem(pem, passphrase("from openssl"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->public_key().spki(), key().public_key().spki());
}

TEST(Pem, WhatIsNoKeyIsMalformed) {
  const std::string cut = p256_key().to_pem(passphrase("x")).value().substr(0, 100);
  for (const std::string_view text : {std::string_view{}, std::string_view{"hello"}, std::string_view{cut}}) {
    const auto read = PrivateKey::from_pem(text, passphrase("x"));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().fault, Fault::malformed);
  }
}

TEST(Pem, MoreThanAKeyCanBeIsTooLong) {
  EXPECT_EQ(PrivateKey::from_pem(std::string(65537, 'A'), passphrase("x")).error().fault, Fault::too_long);
}

TEST(Kinds, KeysThatUsherDoesNotTakeAreRefused) {
  const PKeyPtr small(EVP_RSA_gen(1024U));
  const PKeyPtr p384(EVP_EC_gen("P-384"));
  const PKeyPtr k256(EVP_EC_gen("secp256k1"));
  const PKeyPtr edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  for (EVP_PKEY* key : {small.get(), p384.get(), k256.get(), edwards.get()}) {
    ASSERT_NE(key, nullptr);
    const auto taken = PublicKey::from_ossl(key);
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().fault, Fault::bad_key);
    const auto read = PrivateKey::from_pem(pem_of(key, EVP_aes_256_cbc(), "x"), passphrase("x"));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().fault, Fault::bad_key);
  }
  EXPECT_EQ(PublicKey::from_ossl(nullptr).error().fault, Fault::bad_key);
}

/// A P-256 key whose SPKI is written in another way than usual, by the names of OpenSSL's parameters.
Bytes unusual_spki(const char* parameter, const char* value) {
  PKeyPtr key(EVP_EC_gen("P-256"));
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), parameter, value), 1);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  EXPECT_GT(size, 0);
  Bytes out(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return out;
}

TEST(Kinds, OneKeyHasOneSpki) {
  const auto compressed = PublicKey::from_spki(unusual_spki("point-format", "compressed"));
  ASSERT_FALSE(compressed.has_value());
  EXPECT_EQ(compressed.error().fault, Fault::bad_key);
  const auto written_out = PublicKey::from_spki(unusual_spki("encoding", "explicit"));
  ASSERT_FALSE(written_out.has_value());
  EXPECT_EQ(written_out.error().fault, Fault::bad_key);
}

TEST(Schemes, OnlyKnownNumbersAreTaken) {
  EXPECT_EQ(scheme_of(0x0804), SignatureScheme::rsa_pss_sha256);
  EXPECT_EQ(scheme_of(0x0403), SignatureScheme::ecdsa_p256_sha256);
  EXPECT_EQ(scheme_of(0x0401), SignatureScheme::rsa_pkcs1_sha256);
  for (const int number : {0x0000, 0x0201, 0x0203, 0x0503, 0x0805, 0x0807, 0xffff}) {
    EXPECT_FALSE(scheme_of(static_cast<std::uint16_t>(number))) << number;
  }
}

TEST(Oaep, OpensWhatWasWrappedUnderTheSameLabelAlone) {
  const Secret secret = Secret::take(Bytes(32, 7));
  const Bytes wrapped = oaep_encrypt(rsa_key().public_key(), view_of("label"), secret).value();
  const auto opened = rsa_key().oaep_decrypt(view_of("label"), wrapped);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(equal_constant_time(opened->expose(), secret.expose()));
  EXPECT_EQ(rsa_key().oaep_decrypt(view_of("Label"), wrapped).error().fault, Fault::no_key_fits);
  EXPECT_EQ(rsa_key().oaep_decrypt({}, wrapped).error().fault, Fault::no_key_fits);
  Bytes changed = wrapped;
  changed[100] ^= 1;
  EXPECT_EQ(rsa_key().oaep_decrypt(view_of("label"), changed).error().fault, Fault::no_key_fits);
  EXPECT_EQ(rsa_key().oaep_decrypt(view_of("label"), {}).error().fault, Fault::no_key_fits);
}

TEST(Oaep, AnotherKindAndATooLongPlaintextAreRefused) {
  EXPECT_EQ(oaep_encrypt(p256_key().public_key(), {}, Secret(32)).error().fault, Fault::bad_key);
  EXPECT_EQ(oaep_encrypt(rsa_key().public_key(), {}, Secret(191)).error().fault, Fault::bad_key);
  EXPECT_TRUE(oaep_encrypt(rsa_key().public_key(), {}, Secret(190)).has_value());
  EXPECT_EQ(p256_key().oaep_decrypt({}, Bytes(256)).error().fault, Fault::no_key_fits);
}

TEST(Ecdh, BothHoldersAgree) {
  const PrivateKey other = PrivateKey::generate(NewKey::p256).value();
  const auto a = p256_key().agree(point_of(other.public_key()).value());
  const auto b = other.agree(point_of(p256_key().public_key()).value());
  ASSERT_TRUE(a.has_value());
  ASSERT_TRUE(b.has_value());
  EXPECT_TRUE(equal_constant_time(a->expose(), b->expose()));
  EXPECT_EQ(p256_key().agree(Bytes(65)).error().fault, Fault::bad_key_share);
  EXPECT_EQ(rsa_key().agree(Bytes(65)).error().fault, Fault::no_key_fits);
  EXPECT_EQ(point_of(rsa_key().public_key()).error().fault, Fault::bad_key);
}

TEST(EcdsaDer, IsWhatOpensslMakesOfTheSameNumbers) {
  const Bytes der = p256_key().sign(kMessage).value();
  const unsigned char* at = der.data();
  const Ossl<ECDSA_SIG, ECDSA_SIG_free> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Bytes raw(64);
  ASSERT_EQ(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), 32), 32);
  ASSERT_EQ(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + 32, 32), 32);
  EXPECT_EQ(ecdsa_der_from_raw(raw).value(), der);
  EXPECT_EQ(ecdsa_der_from_raw(View{raw}.first(63)).error().fault, Fault::malformed);
  EXPECT_EQ(ecdsa_der_from_raw({}).error().fault, Fault::malformed);
}

}  // namespace
}  // namespace usher::crypto
