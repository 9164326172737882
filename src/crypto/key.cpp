#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/digest.h"
#include "crypto/group.h"
#include "crypto/random.h"

namespace usher::crypto {
namespace {

using SigPtr = Ossl<ECDSA_SIG, ECDSA_SIG_free>;
using Pkcs8Ptr = Ossl<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using X509SigPtr = Ossl<X509_SIG, X509_SIG_free>;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;
constexpr std::size_t kMaxPem = 64 << 10;  // bytes
constexpr std::size_t kDigestSize = 32;

/// When OpenSSL reads a PEM, scrypt may use at most 32 MiB. N = 2^15 with r = 8 needs more, so p is raised instead.
constexpr struct {
  std::uint64_t n = 1U << 14, r = 8, p = 3;
} kPemCost;

/// The beginning of every P-256 SubjectPublicKeyInfo with a named curve and an uncompressed point (RFC 5480). The
/// point's 64 bytes follow. Other encodings are refused: they would give one key many fingerprints.
constexpr std::uint8_t kP256Spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t kP256SpkiSize = sizeof kP256Spki + 64;

std::shared_ptr<EVP_PKEY> shared(PKeyPtr key) { return {key.release(), OsslFree<EVP_PKEY_free>{}}; }

BioPtr reading(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Result<KeyKind> kind_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    BIGNUM* e = nullptr;
    if (bits < kMinRsaBits || bits > kMaxRsaBits || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
      return ossl_fail(Fault::bad_key, "rsa: size");
    }
    const BnPtr exponent(e);
    // A huge exponent makes every verification slow. 33 bits are far more than any exponent in use has.
    if (BN_is_odd(e) != 1 || BN_is_one(e) || BN_num_bits(e) > 33) return fail(Fault::bad_key, "rsa: exponent");
    return KeyKind::rsa;
  }
  char name[32] = {};
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) == 1 &&
      std::string_view(name) == "prime256v1") {
    return KeyKind::p256;
  }
  return ossl_fail(Fault::bad_key, "key: kind");
}

/// Sets the padding of an RSA signature; nothing to do for ECDSA.
bool set_padding(EVP_PKEY_CTX* context, SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::rsa_pss_sha256:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    case SignatureScheme::rsa_pkcs1_sha256:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case SignatureScheme::ecdsa_p256_sha256:
      return true;
  }
  return false;
}

bool set_oaep(EVP_PKEY_CTX* context, View label) {
  void* copy = label.empty() ? nullptr : OPENSSL_memdup(label.data(), label.size());
  if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context, ossl_of(Digest::sha256)) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context, ossl_of(Digest::sha256)) != 1 ||
      EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size())) != 1) {
    OPENSSL_free(copy);
    return false;
  }
  return true;
}

struct PassphraseUse {
  View passphrase;
  bool asked = false;
};

int give_passphrase(char* buffer, int size, int /*writing*/, void* context) {
  auto& use = *static_cast<PassphraseUse*>(context);
  use.asked = true;
  if (use.passphrase.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(use.passphrase.begin(), use.passphrase.end(), buffer);
  return static_cast<int>(use.passphrase.size());
}

}  // namespace

std::optional<SignatureScheme> scheme_of(std::uint16_t number) noexcept {
  for (const auto scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ecdsa_p256_sha256, SignatureScheme::rsa_pss_sha256}) {
    if (static_cast<std::uint16_t>(scheme) == number) return scheme;
  }
  return std::nullopt;
}

Result<PublicKey> PublicKey::from_spki(View der) {
  const unsigned char* at = der.data();
  const PKeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size()) return ossl_fail(Fault::malformed, "public key");
  return from_ossl(key.get());  // encoded again: `der` may be BER
}

Result<PublicKey> PublicKey::from_ossl(EVP_PKEY* key, Bytes spki) {
  if (key == nullptr) return ossl_fail(Fault::bad_key, "public key");
  USHER_TRY(const KeyKind kind, kind_of(key));
  PublicKey out;
  EVP_PKEY_up_ref(key);
  out.key_ = shared(PKeyPtr(key));
  out.kind_ = kind;
  out.spki_ = spki.empty() ? der_of<i2d_PUBKEY>(key) : std::move(spki);
  if (out.spki_.empty()) return ossl_fail(Fault::malformed, "public key");
  if (kind == KeyKind::p256 &&
      (out.spki_.size() != kP256SpkiSize || !same(View{out.spki_}.first(sizeof kP256Spki), kP256Spki))) {
    return fail(Fault::bad_key, "public key: encoding");
  }
  return out;
}

Hash256 PublicKey::fingerprint() const { return sha256(spki_); }

bool PublicKey::fits(SignatureScheme scheme) const noexcept {
  return (scheme == SignatureScheme::ecdsa_p256_sha256) == (kind_ == KeyKind::p256);
}

Result<> PublicKey::verify(SignatureScheme scheme, View message, View signature) const {
  if (!fits(scheme)) return fail(Fault::bad_signature, "signature: scheme");
  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  if (!context ||
      EVP_DigestVerifyInit_ex(context.get(), &padding, "SHA256", nullptr, nullptr, key_.get(), nullptr) != 1 ||
      !set_padding(padding, scheme) ||
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
    return ossl_fail(Fault::bad_signature, "signature");
  }
  return {};
}

Result<PrivateKey> PrivateKey::generate(NewKey kind) {
  PKeyPtr key(kind == NewKey::p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kind == NewKey::rsa2048 ? 2048U : 3072U));
  if (!key) return ossl_fail(Fault::local, "key generation");
  return from_ossl(std::move(key));
}

Result<PrivateKey> PrivateKey::from_ossl(PKeyPtr key) {
  USHER_TRY(const PublicKey half, PublicKey::from_ossl(key.get()));
  // The public key is a separate object: if the key is on a token, public-key operations do not call the token.
  USHER_TRY(PublicKey public_key, PublicKey::from_spki(half.spki()));
  PrivateKey out(std::move(public_key));
  out.key_ = shared(std::move(key));
  return out;
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem, const Secret& passphrase) {
  if (pem.size() > kMaxPem) return fail(Fault::too_long, "private key");
  const BioPtr bio = reading(pem);
  PassphraseUse use{passphrase.expose()};
  PKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &use));
  if (key && !use.asked) return fail(Fault::unencrypted_key, "private key");
  if (!key) return ossl_fail(use.asked ? Fault::bad_passphrase : Fault::malformed, "private key");
  return from_ossl(std::move(key));
}

Result<std::string> PrivateKey::to_pem(const Secret& passphrase) const {
  SystemRandom random;
  auto salt = random.array<16>();
  auto iv = random.array<16>();
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(key_.get()));
  X509_ALGOR* algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt.data(), static_cast<int>(salt.size()),
                                                iv.data(), kPemCost.n, kPemCost.r, kPemCost.p);
  if (!plain || algorithm == nullptr) return ossl_fail(Fault::local, "private key: encryption");
  // PKCS8_set0_pbe takes ownership of the algorithm if it succeeds.
  const X509SigPtr sealed(PKCS8_set0_pbe(reinterpret_cast<const char*>(passphrase.expose().data()),
                                         static_cast<int>(passphrase.size()), plain.get(), algorithm));
  if (!sealed) {
    X509_ALGOR_free(algorithm);
    return ossl_fail(Fault::local, "private key: encryption");
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (!bio || PEM_write_bio_PKCS8(bio.get(), sealed.get()) != 1) return ossl_fail(Fault::local, "private key: PEM");
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

SignatureScheme PrivateKey::scheme() const noexcept {
  return public_key_.kind() == KeyKind::p256 ? SignatureScheme::ecdsa_p256_sha256 : SignatureScheme::rsa_pss_sha256;
}

Result<Bytes> PrivateKey::sign(View message) const {
  ERR_clear_error();
  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &padding, "SHA256", nullptr, nullptr, key_.get(), nullptr) != 1 ||
      !set_padding(padding, scheme()) ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return ossl_fail(Fault::local, "signing");
  }
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return key_fail(Fault::local, "signing");
  }
  signature.resize(size);
  return signature;
}

Result<Secret> PrivateKey::sign_raw(View input) const {
  const bool rsa = public_key_.kind() == KeyKind::rsa;
  const auto longest = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  if (input.size() != (rsa ? longest : kDigestSize)) return fail(Fault::no_key_fits, "raw signature: size");
  ERR_clear_error();
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      (rsa && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1)) {
    return ossl_fail(Fault::local, "raw signature");
  }
  Secret out(longest);
  std::size_t size = out.size();
  if (EVP_PKEY_sign(context.get(), out.expose_for_writing().data(), &size, input.data(), input.size()) != 1) {
    return key_fail(Fault::no_key_fits, "raw signature");
  }
  out.truncate(size);
  if (rsa) return out;
  USHER_TRY(Bytes raw, ecdsa_raw_from_der(out.expose()));
  return Secret::take(std::move(raw));
}

Result<Secret> PrivateKey::decrypt_raw(View block) const {
  if (public_key_.kind() != KeyKind::rsa || block.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()))) {
    return fail(Fault::no_key_fits, "raw decryption: size");
  }
  ERR_clear_error();
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1) {
    return ossl_fail(Fault::local, "raw decryption");
  }
  Secret out(block.size());
  std::size_t size = out.size();
  if (EVP_PKEY_decrypt(context.get(), out.expose_for_writing().data(), &size, block.data(), block.size()) != 1) {
    return key_fail(Fault::no_key_fits, "raw decryption");
  }
  out.truncate(size);
  return out;
}

Result<Secret> PrivateKey::oaep_decrypt(View label, View wrapped) const {
  if (public_key_.kind() != KeyKind::rsa) return fail(Fault::no_key_fits, "oaep: kind");
  ERR_clear_error();
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 || !set_oaep(context.get(), label)) {
    return ossl_fail(Fault::local, "oaep");
  }
  Secret out(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = out.size();
  if (EVP_PKEY_decrypt(context.get(), out.expose_for_writing().data(), &size, wrapped.data(), wrapped.size()) != 1) {
    return key_fail(Fault::no_key_fits, "oaep");
  }
  out.truncate(size);
  return out;
}

Result<Secret> PrivateKey::agree(View peer_point) const {
  if (public_key_.kind() != KeyKind::p256) return fail(Fault::no_key_fits, "ecdh: kind");
  return agree_p256(key_.get(), peer_point);
}

Result<Bytes> oaep_encrypt(const PublicKey& key, View label, const Secret& plaintext) {
  if (key.kind() != KeyKind::rsa) return fail(Fault::bad_key, "oaep: kind");
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.ossl(), nullptr));
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 || !set_oaep(context.get(), label)) {
    return ossl_fail(Fault::local, "oaep");
  }
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.ossl())));
  std::size_t size = out.size();
  const View in = plaintext.expose();
  if (EVP_PKEY_encrypt(context.get(), out.data(), &size, in.data(), in.size()) != 1) {
    return ossl_fail(Fault::bad_key, "oaep");
  }
  out.resize(size);
  return out;
}

Result<Bytes> point_of(const PublicKey& key) {
  Bytes point(public_size(Group::p256));
  std::size_t size = 0;
  if (key.kind() != KeyKind::p256 ||
      EVP_PKEY_get_octet_string_param(key.ossl(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 ||
      size != point.size()) {
    return ossl_fail(Fault::bad_key, "point");
  }
  return point;
}

Result<Bytes> ecdsa_der_from_raw(View raw) {
  if (raw.size() != 64) return fail(Fault::malformed, "ecdsa: size");
  const SigPtr signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(raw.data(), 32, nullptr);
  BIGNUM* s = BN_bin2bn(raw.data() + 32, 32, nullptr);
  if (!signature || r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return ossl_fail(Fault::local, "ecdsa");
  }
  Bytes der = der_of<i2d_ECDSA_SIG>(signature.get());
  if (der.empty()) return ossl_fail(Fault::local, "ecdsa");
  return der;
}

Result<Bytes> ecdsa_raw_from_der(View der) {
  const unsigned char* at = der.data();
  const SigPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature || at != der.data() + der.size()) return ossl_fail(Fault::malformed, "ecdsa: form");
  Bytes raw(64);
  const BIGNUM* r = ECDSA_SIG_get0_r(signature.get());
  const BIGNUM* s = ECDSA_SIG_get0_s(signature.get());
  if (BN_is_negative(r) != 0 || BN_is_negative(s) != 0 || BN_bn2binpad(r, raw.data(), 32) != 32 ||
      BN_bn2binpad(s, raw.data() + 32, 32) != 32) {
    return ossl_fail(Fault::malformed, "ecdsa: range");
  }
  USHER_TRY(const Bytes again, ecdsa_der_from_raw(raw));
  if (!same(again, der)) return fail(Fault::malformed, "ecdsa: not DER");
  return raw;
}

}  // namespace usher::crypto
