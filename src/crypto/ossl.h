// crypto/ossl: OpenSSL objects that free themselves. For crypto/, pki/ and code that uses TLS.
#pragma once

#include <memory>
#include <optional>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::crypto {

template <auto Free>
struct OsslFree {
  void operator()(auto* p) const noexcept { Free(p); }
};
template <class T, auto Free>
using Ossl = std::unique_ptr<T, OsslFree<Free>>;

using PKeyPtr = Ossl<EVP_PKEY, EVP_PKEY_free>;
using PKeyCtxPtr = Ossl<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using BioPtr = Ossl<BIO, BIO_free_all>;
using BnPtr = Ossl<BIGNUM, BN_clear_free>;
using MdCtxPtr = Ossl<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherCtxPtr = Ossl<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using MacCtxPtr = Ossl<EVP_MAC_CTX, EVP_MAC_CTX_free>;

/// The output of one of OpenSSL's i2d functions; empty if it fails or `object` is null.
template <auto ToDer, class T>
[[nodiscard]] Bytes der_of(T* object) {
  unsigned char* der = nullptr;
  const int size = object == nullptr ? -1 : ToDer(object, &der);
  const std::unique_ptr<unsigned char, OsslFree<[](void* memory) { OPENSSL_free(memory); }>> owner(der);
  return size > 0 ? Bytes(der, der + size) : Bytes();
}

/// Puts an error into OpenSSL's queue. For a key whose operations run outside OpenSSL but are called by it.
void put_error(const Error& error);
/// Returns the error that put_error() left, if there is one, and empties the queue.
[[nodiscard]] std::optional<Error> take_error();
/// As ossl_fail, but an error that put_error() left takes precedence.
[[nodiscard]] std::unexpected<Error> key_fail(Fault fault, std::string_view where);

/// Returns an error, and empties OpenSSL's error queue, so that an old failure is never mistaken for a new one.
[[nodiscard]] std::unexpected<Error> ossl_fail(Fault fault, std::string_view where, std::string about = {});

}  // namespace usher::crypto
