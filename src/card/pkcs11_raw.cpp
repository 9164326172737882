#include <algorithm>

#include "card/pkcs11_library.h"

namespace usher::card::p11 {
namespace {

constexpr std::size_t kMaxRaw = 512;     // bytes: RSA-4096
constexpr std::size_t kSharedSize = 32;  // bytes: an x coordinate of P-256

/// Exactly `size` bytes. Adds the leading zeros that a module has cut off.
Result<crypto::Secret> padded(const crypto::Secret& value, std::size_t got, std::size_t size) {
  if (got > size) return fail(Fault::module_failed, "token: size of the result");
  crypto::Secret out(size);
  std::ranges::copy(value.expose().first(got), out.expose_for_writing().last(got).begin());
  return out;
}

/// Owns a session object, a derived secret, and destroys it.
class SessionObject {
 public:
  SessionObject(CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
      : functions_(functions), session_(session), object_(object) {}
  ~SessionObject() { functions_->C_DestroyObject(session_, object_); }
  SessionObject(const SessionObject&) = delete;
  SessionObject& operator=(const SessionObject&) = delete;

 private:
  CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE object_;
};

}  // namespace

Result<crypto::PublicKey> TokenSession::public_key_of(const Object& private_key) const {
  CK_FUNCTION_LIST* const functions = library_->functions;
  CK_KEY_TYPE kind = 0;
  CK_BBOOL always = CK_FALSE;
  CK_ATTRIBUTE wanted{CKA_KEY_TYPE, &kind, sizeof kind};
  USHER_CHECK(answered(functions->C_GetAttributeValue(handle_, private_key.handle, &wanted, 1), "token key: kind"));
  CK_ATTRIBUTE each_use{CKA_ALWAYS_AUTHENTICATE, &always, sizeof always};
  if (functions->C_GetAttributeValue(handle_, private_key.handle, &each_use, 1) == CKR_OK && always == CK_TRUE) {
    return fail(Fault::card_unsuitable, "token key", "it wants the PIN for each use (CKA_ALWAYS_AUTHENTICATE)",
                "Make a key without that attribute: a program that runs by itself cannot ask each time.");
  }
  if (kind == CKK_RSA) {
    USHER_TRY(const Bytes modulus, attribute(functions, handle_, private_key.handle, CKA_MODULUS, kMaxAttribute));
    USHER_TRY(const Bytes exponent,
              attribute(functions, handle_, private_key.handle, CKA_PUBLIC_EXPONENT, kMaxAttribute));
    if (!modulus.empty() && !exponent.empty()) return rsa_key(modulus, exponent);
  } else if (kind != CKK_EC) {
    return fail(Fault::card_unsuitable, "token key: kind", "it is neither RSA nor EC",
                "Make a key of RSA, 2048 to 4096 bits, or P-256.");
  }
  USHER_TRY(const std::vector<Object> halves, find({.kind = ObjectClass::public_key, .id = private_key.id}));
  if (private_key.id.empty() || halves.size() != 1) {
    return fail(Fault::card_unsuitable, "token key: public half", "the token does not give the key's public half",
                "Give both halves one CKA_ID of their own.");
  }
  const ObjectId half = halves.front().handle;
  if (kind == CKK_EC) {
    USHER_TRY(const Bytes point, attribute(functions, handle_, half, CKA_EC_POINT, kMaxAttribute));
    return p256_key(point);
  }
  USHER_TRY(const Bytes modulus, attribute(functions, handle_, half, CKA_MODULUS, kMaxAttribute));
  USHER_TRY(const Bytes exponent, attribute(functions, handle_, half, CKA_PUBLIC_EXPONENT, kMaxAttribute));
  return rsa_key(modulus, exponent);
}

Result<crypto::Secret> TokenSession::raw(RawUse use, ObjectId private_key, View input) const {
  CK_FUNCTION_LIST* const functions = library_->functions;
  CK_MECHANISM mechanism{use == RawUse::ecdsa ? CKM_ECDSA : CKM_RSA_X_509, nullptr, 0};
  crypto::Secret out(kMaxRaw);
  CK_ULONG size = out.size();
  if (use == RawUse::rsa_decrypt) {
    USHER_CHECK(answered(functions->C_DecryptInit(handle_, &mechanism, private_key), "token: decrypt"));
    USHER_CHECK(
        answered(functions->C_Decrypt(handle_, unconst(input), length(input), out.expose_for_writing().data(), &size),
                 "token: decrypt"));
  } else {
    USHER_CHECK(answered(functions->C_SignInit(handle_, &mechanism, private_key), "token: sign"));
    USHER_CHECK(
        answered(functions->C_Sign(handle_, unconst(input), length(input), out.expose_for_writing().data(), &size),
                 "token: sign"));
  }
  if (use != RawUse::ecdsa) return padded(out, size, input.size());
  if (size != 2 * kSharedSize) return fail(Fault::module_failed, "token: size of the signature");
  out.truncate(size);
  return out;
}

Result<crypto::Secret> TokenSession::agree(ObjectId private_key, View point) const {
  CK_FUNCTION_LIST* const functions = library_->functions;
  CK_ECDH1_DERIVE_PARAMS params{};
  params.kdf = CKD_NULL;
  params.pPublicData = unconst(point);
  params.ulPublicDataLen = length(point);
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &params, sizeof params};
  CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
  CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG wanted_size = kSharedSize;
  std::array<CK_ATTRIBUTE, 6> wanted{{{CKA_CLASS, &secret_class, sizeof secret_class},
                                      {CKA_KEY_TYPE, &generic, sizeof generic},
                                      {CKA_TOKEN, &no, sizeof no},
                                      {CKA_SENSITIVE, &no, sizeof no},
                                      {CKA_EXTRACTABLE, &yes, sizeof yes},
                                      {CKA_VALUE_LEN, &wanted_size, sizeof wanted_size}}};
  CK_OBJECT_HANDLE derived = 0;
  USHER_CHECK(answered(functions->C_DeriveKey(handle_, &mechanism, private_key, wanted.data(), wanted.size(), &derived),
                       "token: ecdh"));
  const SessionObject owner(functions, handle_, derived);
  crypto::Secret shared(kMaxRaw);
  CK_ATTRIBUTE value{CKA_VALUE, shared.expose_for_writing().data(), shared.size()};
  USHER_CHECK(answered(functions->C_GetAttributeValue(handle_, derived, &value, 1), "token: ecdh"));
  return padded(shared, value.ulValueLen, kSharedSize);
}

Result<> TokenSession::check(ObjectId object, bool login_required) const {
  CK_SESSION_INFO info{};
  USHER_CHECK(answered(library_->functions->C_GetSessionInfo(handle_, &info), "token: session"));
  if (login_required && info.state != CKS_RO_USER_FUNCTIONS && info.state != CKS_RW_USER_FUNCTIONS) {
    return fail(Fault::not_authenticated, "token: session");
  }
  CK_OBJECT_CLASS kind = 0;
  CK_ATTRIBUTE wanted{CKA_CLASS, &kind, sizeof kind};
  return answered(library_->functions->C_GetAttributeValue(handle_, object, &wanted, 1), "token: object");
}

}  // namespace usher::card::p11
