#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/must.h"

namespace usher::crypto {
namespace {

const char* name_of(Digest digest) {
  return digest == Digest::sha256 ? "SHA256" : digest == Digest::sha384 ? "SHA384" : "SHA512";
}

MacCtxPtr keyed_context(Digest digest, View key) {
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacCtxPtr context(EVP_MAC_CTX_new(kHmac));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(name_of(digest)), 0),
      OSSL_PARAM_construct_end()};
  // An empty key is a valid key. OpenSSL reads a null pointer as "keep the previous key".
  static constexpr std::uint8_t kNothing = 0;
  must(context && EVP_MAC_init(context.get(), key.empty() ? &kNothing : key.data(), key.size(), params) == 1);
  return context;
}

Bytes finish(EVP_MAC_CTX* context, Digest digest, std::initializer_list<View> parts) {
  for (const View part : parts) {
    if (!part.empty()) must(EVP_MAC_update(context, part.data(), part.size()) == 1);
  }
  Bytes out(size_of(digest));
  std::size_t size = 0;
  must(EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size());
  return out;
}

}  // namespace

Bytes hmac(Digest digest, View key, std::initializer_list<View> parts) {
  return finish(keyed_context(digest, key).get(), digest, parts);
}

HmacKey::HmacKey(Digest digest, const Secret& key) : digest_(digest), keyed_(keyed_context(digest, key.expose())) {}

Bytes HmacKey::of(std::initializer_list<View> parts) const {
  const MacCtxPtr context(EVP_MAC_CTX_dup(keyed_.get()));
  must(context != nullptr);
  return finish(context.get(), digest_, parts);
}

bool HmacKey::verify(std::initializer_list<View> parts, View mac) const { return equal_constant_time(of(parts), mac); }

}  // namespace usher::crypto
