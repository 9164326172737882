// Signatures of a token (identity.md §9.5), with the mechanisms that its module has, and never with SHA-1.
#include <algorithm>
#include <array>

#include "card/pkcs11_library.h"
#include "crypto/digest.h"

namespace usher::card::p11 {
namespace {

using crypto::SignatureScheme;

constexpr std::size_t kMaxSignature = 512;  // bytes: RSA-4096
constexpr CK_ULONG kMaxMechanisms = 1024;   // of one token

// DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
constexpr std::uint8_t kSha256DigestInfo[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                              0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

/// The input of the module for a signature: a DigestInfo, a digest, or the message, which the module hashes itself.
enum class Input : std::uint8_t { digest_info, digest, message };
struct Method {
  CK_MECHANISM_TYPE mechanism;
  SignatureScheme scheme;
  Input input;
};
constexpr std::array kMethods{
    Method{CKM_RSA_PKCS, SignatureScheme::rsa_pkcs1_sha256, Input::digest_info},
    Method{CKM_SHA256_RSA_PKCS, SignatureScheme::rsa_pkcs1_sha256, Input::message},
    Method{CKM_RSA_PKCS_PSS, SignatureScheme::rsa_pss_sha256, Input::digest},
    Method{CKM_SHA256_RSA_PKCS_PSS, SignatureScheme::rsa_pss_sha256, Input::message},
    Method{CKM_ECDSA, SignatureScheme::ecdsa_p256_sha256, Input::digest},
    Method{CKM_ECDSA_SHA256, SignatureScheme::ecdsa_p256_sha256, Input::message},
};

Bytes input_of(Input input, View message) {
  if (input == Input::message) return to_bytes(message);
  const Hash256 digest = crypto::sha256(message);
  return input == Input::digest_info ? concat({kSha256DigestInfo, digest}) : to_bytes(digest);
}

/// Calls C_SignInit with the first of the scheme's mechanisms that the module accepts for this key.
Result<const Method*> begin(const CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session, ObjectId key,
                            SignatureScheme scheme) {
  CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, Hash256{}.size()};
  CK_RV value = CKR_MECHANISM_INVALID;
  for (const Method& method : kMethods) {
    if (method.scheme != scheme) continue;
    CK_MECHANISM mechanism{method.mechanism, nullptr, 0};
    if (scheme == SignatureScheme::rsa_pss_sha256) mechanism = {method.mechanism, &pss, sizeof pss};
    value = functions.C_SignInit(session, &mechanism, key);
    if (value == CKR_OK) return &method;
    if (value != CKR_MECHANISM_INVALID && value != CKR_MECHANISM_PARAM_INVALID) break;
  }
  return fail_rv(value, "card: sign");
}

}  // namespace

Result<std::vector<SignatureScheme>> Module::schemes(SlotId slot) const {
  const CK_FUNCTION_LIST& functions = *library_->functions;
  CK_ULONG count = 0;
  USHER_CHECK(answered(functions.C_GetMechanismList(slot, nullptr, &count), "card: mechanisms"));
  if (count > kMaxMechanisms) return fail(Fault::module_failed, "card: mechanisms");
  std::vector<CK_MECHANISM_TYPE> listed(count);
  USHER_CHECK(answered(functions.C_GetMechanismList(slot, listed.data(), &count), "card: mechanisms"));
  listed.resize(std::min<std::size_t>(count, listed.size()));
  std::vector<SignatureScheme> out;
  for (const Method& method : kMethods) {
    if (std::ranges::find(listed, method.mechanism) == listed.end()) continue;
    CK_MECHANISM_INFO info{};
    // A mechanism may be listed for decryption only. If the module gives no flags, the mechanism is accepted.
    const CK_RV value = functions.C_GetMechanismInfo(slot, method.mechanism, &info);
    if (value == CKR_OK && (info.flags & CKF_SIGN) == 0) continue;
    if (out.empty() || out.back() != method.scheme) out.push_back(method.scheme);
  }
  return out;
}

Result<CardSignature> TokenSession::sign(ObjectId private_key, SignatureScheme scheme, View message, KeyUse use,
                                         const crypto::Secret* pin) {
  CK_FUNCTION_LIST* const functions = library_->functions;
  USHER_TRY(const Method* method, begin(*functions, handle_, private_key, scheme));
  Bytes input = input_of(method->input, message);
  Bytes signature(kMaxSignature);
  CK_ULONG size = signature.size();
  if (use == KeyUse::each_signature) USHER_CHECK(login(User::each_signature, pin));
  USHER_CHECK(answered(functions->C_Sign(handle_, input.data(), input.size(), signature.data(), &size), "card: sign"));
  signature.resize(std::min<std::size_t>(size, signature.size()));
  if (scheme != SignatureScheme::ecdsa_p256_sha256) return CardSignature{scheme, std::move(signature)};
  USHER_TRY(Bytes der, crypto::ecdsa_der_from_raw(signature));
  return CardSignature{scheme, std::move(der)};
}

}  // namespace usher::card::p11
