// OpenSSL 3 has two ways to use a key that is elsewhere: a provider, or the methods of version 1.1, which it keeps for
// this purpose. This file uses the methods.
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT(readability-identifier-naming): OpenSSL's name

#include "card/remote_key.h"

#include <algorithm>

#include <openssl/ec.h>
#include <openssl/rsa.h>

namespace usher::card {
namespace {

using RemotePtr = std::shared_ptr<RemoteKey>;
using RsaPtr = crypto::Ossl<RSA, RSA_free>;
using EcPtr = crypto::Ossl<EC_KEY, EC_KEY_free>;

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kPointSize = 65;

// OpenSSL's object owns the remote key, and frees it.
void free_remote(void* /*parent*/, void* remote, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
                 void* /*argp*/) {
  const std::unique_ptr<RemotePtr> owner(static_cast<RemotePtr*>(remote));
}
int copy_remote(CRYPTO_EX_DATA* /*to*/, const CRYPTO_EX_DATA* /*from*/, void** remote, int /*index*/, long /*argl*/,
                void* /*argp*/) {
  if (*remote != nullptr) *remote = std::make_unique<RemotePtr>(*static_cast<RemotePtr*>(*remote)).release();
  return 1;
}

int rsa_index() {
  static const int index = RSA_get_ex_new_index(0, nullptr, nullptr, copy_remote, free_remote);
  return index;
}
int ec_index() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, copy_remote, free_remote);
  return index;
}
RemoteKey& remote_of(const RSA* key) { return **static_cast<RemotePtr*>(RSA_get_ex_data(key, rsa_index())); }
RemoteKey& remote_of(const EC_KEY* key) { return **static_cast<RemotePtr*>(EC_KEY_get_ex_data(key, ec_index())); }

/// Returns the result's size; -1 on an error, as OpenSSL expects. The reason is put into OpenSSL's error queue.
int use_rsa(p11::RawUse use, RSA* key, View block, std::uint8_t* out) {
  auto done = remote_of(key).raw(use, block);
  if (!done) {
    crypto::put_error(done.error());
    return -1;
  }
  std::ranges::copy(done->expose(), out);
  return static_cast<int>(done->size());
}

int sign_rsa(int size, const unsigned char* from, unsigned char* to, RSA* key, int padding) {
  crypto::Secret block(static_cast<std::size_t>(RSA_size(key)));
  const MutableView whole = block.expose_for_writing();
  if (padding == RSA_PKCS1_PADDING) {
    if (RSA_padding_add_PKCS1_type_1(whole.data(), RSA_size(key), from, size) != 1) return -1;
  } else if (padding == RSA_NO_PADDING && size == RSA_size(key)) {
    std::copy_n(from, size, whole.begin());
  } else {
    return -1;
  }
  return use_rsa(p11::RawUse::rsa_sign, key, block.expose(), to);
}

/// OpenSSL checks the padding of OAEP itself. No other padding is used here.
int decrypt_rsa(int size, const unsigned char* from, unsigned char* to, RSA* key, int padding) {
  if (padding != RSA_NO_PADDING || size != RSA_size(key)) return -1;
  return use_rsa(p11::RawUse::rsa_decrypt, key, View(from, static_cast<std::size_t>(size)), to);
}

ECDSA_SIG* sign_ec(const unsigned char* digest, int size, const BIGNUM* /*kinv*/, const BIGNUM* /*r*/, EC_KEY* key) {
  if (size != static_cast<int>(kDigestSize)) return nullptr;
  const auto done = remote_of(key).raw(p11::RawUse::ecdsa, View(digest, kDigestSize));
  if (!done) {
    crypto::put_error(done.error());
    return nullptr;
  }
  const auto der = crypto::ecdsa_der_from_raw(done->expose());
  if (!der) return nullptr;
  const unsigned char* at = der->data();
  return d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der->size()));
}

int agree_ec(unsigned char** out, std::size_t* size, const EC_POINT* peer, const EC_KEY* key) {
  std::array<std::uint8_t, kPointSize> point{};
  if (EC_POINT_point2oct(EC_KEY_get0_group(key), peer, POINT_CONVERSION_UNCOMPRESSED, point.data(), point.size(),
                         nullptr) != point.size()) {
    return 0;
  }
  const auto done = remote_of(key).agree(point);
  if (!done) {
    crypto::put_error(done.error());
    return 0;
  }
  *out = static_cast<unsigned char*>(OPENSSL_memdup(done->expose().data(), done->size()));
  *size = *out != nullptr ? done->size() : 0;
  return *out != nullptr ? 1 : 0;
}

const RSA_METHOD* rsa_method() {
  static RSA_METHOD* const method = [] {
    RSA_METHOD* made = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    if (made != nullptr && RSA_meth_set1_name(made, "usher remote key") == 1 && RSA_meth_set_flags(made, 0) == 1 &&
        RSA_meth_set_priv_enc(made, sign_rsa) == 1 && RSA_meth_set_priv_dec(made, decrypt_rsa) == 1) {
      return made;
    }
    RSA_meth_free(made);
    return static_cast<RSA_METHOD*>(nullptr);
  }();
  return method;
}

const EC_KEY_METHOD* ec_method() {
  static EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (made == nullptr) return made;
    int (*sign)(int, const unsigned char*, int, unsigned char*, unsigned int*, const BIGNUM*, const BIGNUM*, EC_KEY*) =
        nullptr;
    int (*setup)(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**) = nullptr;
    EC_KEY_METHOD_get_sign(made, &sign, &setup, nullptr);
    EC_KEY_METHOD_set_sign(made, sign, setup, sign_ec);
    EC_KEY_METHOD_set_compute_key(made, agree_ec);
    return made;
  }();
  return method;
}

bool attach(RSA* key, RemotePtr remote) {
  RemotePtr* const owned = std::make_unique<RemotePtr>(std::move(remote)).release();
  if (RSA_set_ex_data(key, rsa_index(), owned) != 1) {
    const std::unique_ptr<RemotePtr> owner(owned);
    return false;
  }
  return rsa_method() != nullptr && RSA_set_method(key, rsa_method()) == 1;
}

bool attach(EC_KEY* key, RemotePtr remote) {
  RemotePtr* const owned = std::make_unique<RemotePtr>(std::move(remote)).release();
  if (EC_KEY_set_ex_data(key, ec_index(), owned) != 1) {
    const std::unique_ptr<RemotePtr> owner(owned);
    return false;
  }
  return ec_method() != nullptr && EC_KEY_set_method(key, ec_method()) == 1;
}

}  // namespace

Result<crypto::PrivateKey> key_over(std::shared_ptr<RemoteKey> remote) {
  const crypto::PublicKey half = remote->public_key();
  crypto::PKeyPtr out(EVP_PKEY_new());
  bool made = false;
  if (half.kind() == crypto::KeyKind::rsa) {
    const RsaPtr key(EVP_PKEY_get1_RSA(half.ossl()));  // copied below: the public key's own object must not change
    const RsaPtr own(key ? RSAPublicKey_dup(key.get()) : nullptr);
    made = out && own && attach(own.get(), std::move(remote)) && EVP_PKEY_set1_RSA(out.get(), own.get()) == 1;
  } else {
    const EcPtr key(EVP_PKEY_get1_EC_KEY(half.ossl()));
    const EcPtr own(key ? EC_KEY_dup(key.get()) : nullptr);
    made = out && own && attach(own.get(), std::move(remote)) && EVP_PKEY_set1_EC_KEY(out.get(), own.get()) == 1;
  }
  if (!made) return crypto::ossl_fail(Fault::local, "remote key: use");
  return crypto::PrivateKey::from_ossl(std::move(out));
}

}  // namespace usher::card
