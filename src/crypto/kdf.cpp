#include "crypto/kdf.h"

#include "base/must.h"

namespace usher::crypto {

// HKDF is two uses of HMAC (RFC 5869 §2). It is written out here, so that a call needs no EVP_KDF fetch and no copy of
// `info` for it.
Secret hkdf_extract(Digest digest, View salt, View input) { return Secret::take(hmac(digest, salt, {input})); }

Secret hkdf_expand(Digest digest, const Secret& prk, std::initializer_list<View> info, std::size_t size) {
  return hkdf_expand(HmacKey(digest, prk), info, size);
}

Secret hkdf_expand(const HmacKey& prk, std::initializer_list<View> info, std::size_t size) {
  must(size <= 255 * prk.size());
  Bytes joined;
  for (const View part : info) append(joined, part);
  Secret out(size);
  Secret block;
  std::size_t filled = 0;
  for (std::uint8_t counter = 1; filled < size; ++counter) {
    block = Secret::take(prk.of({block.expose(), joined, View{&counter, 1}}));
    const std::size_t take = std::min(block.size(), size - filled);
    std::ranges::copy(block.expose().first(take),
                      out.expose_for_writing().begin() + static_cast<std::ptrdiff_t>(filled));
    filled += take;
  }
  return out;
}

Result<Secret> scrypt(const Secret& passphrase, View salt, ScryptCost cost, std::size_t size) {
  if (cost.log2_n == 0 || cost.log2_n > kMaxScrypt.log2_n || cost.r == 0 || cost.r > kMaxScrypt.r || cost.p == 0 ||
      cost.p > kMaxScrypt.p) {
    return fail(Fault::unsupported, "scrypt: cost");
  }
  Secret out(size);
  constexpr std::uint64_t kMemory = 512ULL << 20;  // bytes; above what kMaxScrypt needs
  if (EVP_PBE_scrypt(reinterpret_cast<const char*>(passphrase.expose().data()), passphrase.size(), salt.data(),
                     salt.size(), 1ULL << cost.log2_n, cost.r, cost.p, kMemory, out.expose_for_writing().data(),
                     size) != 1) {
    return ossl_fail(Fault::local, "scrypt");
  }
  return out;
}

}  // namespace usher::crypto
