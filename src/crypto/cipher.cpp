#include "crypto/cipher.h"

#include "base/must.h"
#include "crypto/ossl.h"

namespace usher::crypto {
namespace {

struct Row {
  const char* name;
  CipherTraits traits;
};
constexpr Row kRows[] = {
    {"AES-128-GCM", {16, 12, 16, 1}}, {"AES-256-GCM", {32, 12, 16, 1}}, {"ChaCha20-Poly1305", {32, 12, 16, 1}},
    {"AES-128-CBC", {16, 16, 0, 16}}, {"AES-256-CBC", {32, 16, 0, 16}}, {"AES-128-CFB", {16, 16, 0, 1}},
    {"AES-256-CFB", {32, 16, 0, 1}},  {"AES-256-CTR", {32, 16, 0, 1}},  {"ChaCha20", {32, 16, 0, 1}},
};
constexpr std::size_t kCiphers = std::size(kRows);

const EVP_CIPHER* ossl_of(Cipher cipher) noexcept {
  static const auto kFetched = [] {
    std::array<const EVP_CIPHER*, kCiphers> fetched{};
    for (std::size_t i = 0; i < kCiphers; ++i) fetched[i] = EVP_CIPHER_fetch(nullptr, kRows[i].name, nullptr);
    return fetched;
  }();
  return kFetched[static_cast<std::size_t>(cipher)];
}

CipherCtxPtr context_for(Cipher cipher, View key, View iv, bool encrypting) {
  const CipherTraits traits = traits_of(cipher);
  must(key.size() == traits.key_size && iv.size() == traits.iv_size);
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  must(context &&
       EVP_CipherInit_ex2(context.get(), ossl_of(cipher), key.data(), iv.data(), encrypting ? 1 : 0, nullptr) == 1);
  return context;
}

/// EVP counts in int. The callers bound every size far below its limit.
int int_size(View bytes) {
  must(bytes.size() <= (1U << 30));
  return static_cast<int>(bytes.size());
}

std::size_t size_of(std::span<const View> parts) {
  std::size_t size = 0;
  for (const View part : parts) size += part.size();
  return size;
}

/// Encrypts the parts to the beginning of `out`. Returns the number of bytes written (CBC holds some back).
std::size_t encrypt_parts(EVP_CIPHER_CTX* context, std::span<const View> parts, MutableView out) {
  std::size_t total = 0;
  for (const View part : parts) {
    int written = 0;
    if (part.empty()) continue;
    must(EVP_EncryptUpdate(context, out.data() + total, &written, part.data(), int_size(part)) == 1);
    total += static_cast<std::size_t>(written);
  }
  return total;
}

}  // namespace

CipherTraits traits_of(Cipher cipher) noexcept { return kRows[static_cast<std::size_t>(cipher)].traits; }

void aead_seal(Cipher cipher, View key, View nonce, View associated, View plaintext, MutableView out) {
  aead_seal(cipher, key, nonce, associated, std::span<const View>{&plaintext, 1}, out);
}

void aead_seal(Cipher cipher, View key, View nonce, View associated, std::span<const View> parts, MutableView out) {
  must(traits_of(cipher).tag_size == kAeadTagSize && out.size() == size_of(parts) + kAeadTagSize);
  const auto context = context_for(cipher, key, nonce, true);
  int written = 0;
  if (!associated.empty()) {
    must(EVP_EncryptUpdate(context.get(), nullptr, &written, associated.data(), int_size(associated)) == 1);
  }
  const MutableView tag = out.subspan(encrypt_parts(context.get(), parts, out));
  must(tag.size() == kAeadTagSize && EVP_EncryptFinal_ex(context.get(), tag.data(), &written) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag.data()) == 1);
}

Result<> aead_open(Cipher cipher, View key, View nonce, View associated, View sealed, MutableView out) {
  if (sealed.size() < kAeadTagSize) return fail(Fault::malformed, "aead: shorter than a tag");
  const View ciphertext = sealed.first(sealed.size() - kAeadTagSize);
  must(traits_of(cipher).tag_size == kAeadTagSize && out.size() == ciphertext.size());
  auto tag = array_of<kAeadTagSize>(sealed.last(kAeadTagSize));
  const auto context = context_for(cipher, key, nonce, false);
  int written = 0;
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1);
  if (!associated.empty()) {
    must(EVP_DecryptUpdate(context.get(), nullptr, &written, associated.data(), int_size(associated)) == 1);
  }
  if (!ciphertext.empty()) {
    must(EVP_DecryptUpdate(context.get(), out.data(), &written, ciphertext.data(), int_size(ciphertext)) == 1);
  }
  std::uint8_t none = 0;
  if (EVP_DecryptFinal_ex(context.get(), &none, &written) != 1) {
    wipe(out);
    return ossl_fail(Fault::record_refused, "aead: tag");
  }
  return {};
}

void encrypt(Cipher cipher, View key, View iv, View plaintext, MutableView out) {
  encrypt(cipher, key, iv, std::span<const View>{&plaintext, 1}, out);
}

void encrypt(Cipher cipher, View key, View iv, std::span<const View> parts, MutableView out) {
  const CipherTraits traits = traits_of(cipher);
  must(traits.tag_size == 0 && out.size() == ciphertext_size(traits, size_of(parts)));
  const auto context = context_for(cipher, key, iv, true);
  const std::size_t written = encrypt_parts(context.get(), parts, out);
  int last = 0;
  must(EVP_EncryptFinal_ex(context.get(), out.data() + written, &last) == 1);
  must(written + static_cast<std::size_t>(last) == out.size());
}

Result<std::size_t> decrypt(Cipher cipher, View key, View iv, View ciphertext, MutableView out) {
  const CipherTraits traits = traits_of(cipher);
  must(traits.tag_size == 0 && out.size() >= ciphertext.size());
  if (traits.block_size > 1 && (ciphertext.empty() || ciphertext.size() % traits.block_size != 0)) {
    return fail(Fault::malformed, "cipher: not whole blocks");
  }
  const auto context = context_for(cipher, key, iv, false);
  int written = 0;
  int last = 0;
  if (!ciphertext.empty()) {
    must(EVP_DecryptUpdate(context.get(), out.data(), &written, ciphertext.data(), int_size(ciphertext)) == 1);
  }
  // EVP holds back the last CBC block, so `last` bytes always fit into the rest of `out`.
  if (EVP_DecryptFinal_ex(context.get(), out.data() + written, &last) != 1) {
    wipe(out);
    return ossl_fail(Fault::malformed, "cipher: padding");
  }
  return static_cast<std::size_t>(written) + static_cast<std::size_t>(last);
}

}  // namespace usher::crypto
