#include "media/wrap.h"

#include "base/must.h"
#include "crypto/cipher.h"
#include "crypto/group.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

using crypto::Digest;
using crypto::Secret;

constexpr std::size_t kSaltSize = 32;  // bytes, for a wrap with a passphrase or with a KEK
constexpr std::size_t kWrappedSize = kObjectKeySize + crypto::kAeadTagSize;
constexpr std::size_t kPointSize = 65;  // bytes: an uncompressed P-256 point
constexpr std::string_view kPassphraseLabel = "usher/1 wrap passphrase";
constexpr std::string_view kEcdhLabel = "usher/1 wrap p256";
constexpr std::string_view kKekLabel = "usher/1 wrap kek";
constexpr std::string_view kKekNameLabel = "usher/1 kek name";
constexpr std::uint8_t kZero[] = {0};

// Every wrapping key below is made from fresh random bytes and used once, so the nonce can be zero.
constexpr std::array<std::uint8_t, crypto::kAeadNonceSize> kNonce{};

Bytes seal_key(const Secret& wrapping_key, View context, const Secret& object_key) {
  must(object_key.size() == kObjectKeySize);
  Bytes wrapped(kWrappedSize);
  crypto::aead_seal(crypto::Cipher::aes256_gcm, wrapping_key.expose(), kNonce, context, object_key.expose(), wrapped);
  return wrapped;
}

Result<Secret> open_key(const Secret& wrapping_key, View context, View wrapped, Fault otherwise) {
  if (wrapped.size() != kWrappedSize) return fail(Fault::header_damaged, "wrap: size");
  Secret object_key(kObjectKeySize);
  if (!crypto::aead_open(crypto::Cipher::aes256_gcm, wrapping_key.expose(), kNonce, context, wrapped,
                         object_key.expose_for_writing())) {
    return fail(otherwise, "wrap");
  }
  return object_key;
}

std::unexpected<Error> not_mine() { return fail(Fault::no_key_fits, "wrap: another key's"); }

bool is(const Recipient& recipient, WrapType type) { return recipient.type == static_cast<std::uint8_t>(type); }

/// Whether the token that holds the key failed. Such an error does not mean that the object is damaged.
bool is_tokens(const Error& error) noexcept { return exit_class_of(error.fault) == ExitClass::card; }

Recipient recipient(WrapType type, wire::Writer params, Bytes wrapped) {
  return {static_cast<std::uint8_t>(type), std::move(params).take(), std::move(wrapped)};
}

Result<Secret> passphrase_key(const Secret& passphrase, View salt, crypto::ScryptCost cost) {
  // The label separates this from every other use of the same passphrase.
  return crypto::scrypt(passphrase, concat({view_of(kPassphraseLabel), kZero, salt}), cost, 32);
}

Secret ecdh_key(const Secret& shared, View context, View ephemeral, View own) {
  return crypto::hkdf_expand(Digest::sha256, crypto::hkdf_extract(Digest::sha256, {}, shared.expose()),
                             {view_of(kEcdhLabel), kZero, context, ephemeral, own}, 32);
}

Secret kek_key(const Secret& kek, View salt, View context) {
  return crypto::hkdf_expand(Digest::sha256, crypto::hkdf_extract(Digest::sha256, salt, kek.expose()),
                             {view_of(kKekLabel), kZero, context}, 32);
}

}  // namespace

Bytes WrapContext::bytes(WrapType type) const {
  wire::Writer out;
  out.raw(view_of("usher/1 wrap")).u8(0).u8(static_cast<std::uint8_t>(type)).u8(static_cast<std::uint8_t>(suite));
  out.raw(object);
  return std::move(out).take();
}

Result<Recipient> PassphraseWrapper::wrap(const Secret& object_key, const WrapContext& context, Random& random) const {
  const auto salt = random.array<kSaltSize>();
  USHER_TRY(const Secret key, passphrase_key(passphrase_, salt, cost_));
  wire::Writer params;
  params.raw(salt).u8(cost_.log2_n).u32(cost_.r).u32(cost_.p);
  return recipient(WrapType::passphrase, std::move(params),
                   seal_key(key, context.bytes(WrapType::passphrase), object_key));
}

Result<Secret> PassphraseUnwrapper::unwrap(const Recipient& recipient, const WrapContext& context) const {
  if (!is(recipient, WrapType::passphrase)) return not_mine();
  wire::Reader in(recipient.params, "wrap: passphrase");
  const View salt = in.raw(kSaltSize);
  crypto::ScryptCost cost;
  cost.log2_n = in.u8();
  cost.r = in.u32();
  cost.p = in.u32();
  USHER_CHECK(in.finish());
  USHER_TRY(const Secret key, passphrase_key(passphrase_, salt, cost));
  return open_key(key, context.bytes(WrapType::passphrase), recipient.wrapped, Fault::bad_passphrase);
}

Result<Recipient> PublicKeyWrapper::wrap(const Secret& object_key, const WrapContext& context, Random& random) const {
  wire::Writer params;
  params.raw(key_.fingerprint());
  if (key_.kind() == crypto::KeyKind::rsa) {
    USHER_TRY(Bytes wrapped, crypto::oaep_encrypt(key_, context.bytes(WrapType::rsa_oaep), object_key));
    return recipient(WrapType::rsa_oaep, std::move(params), std::move(wrapped));
  }
  USHER_TRY(const Bytes point, crypto::point_of(key_));
  USHER_TRY(crypto::EphemeralKey ephemeral, crypto::EphemeralKey::generate(crypto::Group::p256, random));
  const Bytes ephemeral_point = ephemeral.public_value();
  USHER_TRY(const Secret shared, std::move(ephemeral).agree(point));
  params.raw(ephemeral_point);
  const Bytes bound = context.bytes(WrapType::ecdh_p256);
  return recipient(WrapType::ecdh_p256, std::move(params),
                   seal_key(ecdh_key(shared, bound, ephemeral_point, point), bound, object_key));
}

Result<Secret> PrivateKeyUnwrapper::unwrap(const Recipient& recipient, const WrapContext& context) const {
  const crypto::PublicKey& own = key_.public_key();
  const bool rsa = own.kind() == crypto::KeyKind::rsa;
  if (!is(recipient, rsa ? WrapType::rsa_oaep : WrapType::ecdh_p256)) return not_mine();
  wire::Reader in(recipient.params, "wrap: public key");
  const auto fingerprint = in.array<32>();
  const View ephemeral = rsa ? View{} : in.raw(kPointSize);
  USHER_CHECK(in.finish());
  if (!same(fingerprint, own.fingerprint())) return not_mine();
  if (rsa) {
    auto object_key = key_.oaep_decrypt(context.bytes(WrapType::rsa_oaep), recipient.wrapped);
    if (!object_key && is_tokens(object_key.error())) return object_key;
    if (!object_key || object_key->size() != kObjectKeySize) return fail(Fault::header_damaged, "wrap: rsa");
    return object_key;
  }
  USHER_TRY(const Bytes point, crypto::point_of(own));
  auto shared = key_.agree(ephemeral);
  if (!shared && is_tokens(shared.error())) return shared;
  if (!shared) return fail(Fault::header_damaged, "wrap: ecdh");
  const Bytes bound = context.bytes(WrapType::ecdh_p256);
  return open_key(ecdh_key(*shared, bound, ephemeral, point), bound, recipient.wrapped, Fault::header_damaged);
}

Kek::Kek(Secret key) : key_(std::move(key)), name_{} {
  const Secret name = crypto::hkdf_expand(Digest::sha256, crypto::hkdf_extract(Digest::sha256, {}, key_.expose()),
                                          {view_of(kKekNameLabel)}, name_.size());
  name_ = array_of<16>(name.expose());
}

Result<Recipient> Kek::wrap(const Secret& object_key, const WrapContext& context, Random& random) const {
  const auto salt = random.array<kSaltSize>();
  const Bytes bound = context.bytes(WrapType::kek);
  wire::Writer params;
  params.raw(name_).raw(salt);
  return recipient(WrapType::kek, std::move(params), seal_key(kek_key(key_, salt, bound), bound, object_key));
}

Result<Secret> Kek::unwrap(const Recipient& recipient, const WrapContext& context) const {
  if (!is(recipient, WrapType::kek)) return not_mine();
  wire::Reader in(recipient.params, "wrap: kek");
  const Id128 name = in.array<16>();
  const View salt = in.raw(kSaltSize);
  USHER_CHECK(in.finish());
  if (name != name_) return not_mine();
  const Bytes bound = context.bytes(WrapType::kek);
  return open_key(kek_key(key_, salt, bound), bound, recipient.wrapped, Fault::header_damaged);
}

}  // namespace usher::media
