#include <algorithm>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/encoding.h"
#include "card/pkcs11_library.h"
#include "pki/certificate.h"
#include "pki/x509.h"

namespace usher::card::p11 {
namespace {

using crypto::ossl_fail;
using ParamBuildPtr = crypto::Ossl<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = crypto::Ossl<OSSL_PARAM, OSSL_PARAM_free>;

// OBJECT IDENTIFIER prime256v1.
constexpr std::uint8_t kP256Oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
// SubjectPublicKeyInfo of P-256 up to the uncompressed point.
constexpr std::uint8_t kP256Spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                      0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr std::size_t kPointSize = 65;
constexpr std::uint8_t kExponent[] = {0x01, 0x00, 0x01};

CK_OBJECT_CLASS class_of(ObjectClass kind) noexcept {
  switch (kind) {
    case ObjectClass::certificate:
      return CKO_CERTIFICATE;
    case ObjectClass::public_key:
      return CKO_PUBLIC_KEY;
    case ObjectClass::private_key:
      return CKO_PRIVATE_KEY;
  }
  return CKO_DATA;
}

/// A template that owns its numbers and borrows its bytes.
class Template {
 public:
  Template& bytes(CK_ATTRIBUTE_TYPE type, View value) {
    entries_.push_back({type, unconst(value), length(value)});
    return *this;
  }
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    numbers_.push_back(std::make_unique<CK_ULONG>(value));
    entries_.push_back({type, numbers_.back().get(), sizeof(CK_ULONG)});
    return *this;
  }
  Template& flag(CK_ATTRIBUTE_TYPE type, bool value) {
    static CK_BBOOL yes = CK_TRUE;
    static CK_BBOOL no = CK_FALSE;
    entries_.push_back({type, value ? &yes : &no, sizeof(CK_BBOOL)});
    return *this;
  }
  [[nodiscard]] CK_ATTRIBUTE* data() noexcept { return entries_.data(); }
  [[nodiscard]] CK_ULONG size() const noexcept { return entries_.size(); }

 private:
  std::vector<CK_ATTRIBUTE> entries_;
  std::vector<std::unique_ptr<CK_ULONG>> numbers_;
};

}  // namespace

Result<Bytes> attribute(CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE session, ObjectId object, CK_ATTRIBUTE_TYPE type,
                        std::size_t max) {
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  const CK_RV value = functions->C_GetAttributeValue(session, object, &wanted, 1);
  if (value == CKR_ATTRIBUTE_TYPE_INVALID || value == CKR_ATTRIBUTE_SENSITIVE) return Bytes{};
  USHER_CHECK(answered(value, "card: attribute"));
  if (wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION || wanted.ulValueLen == 0) return Bytes{};
  if (wanted.ulValueLen > max) return fail(Fault::too_long, "card: attribute");
  Bytes out(wanted.ulValueLen);
  wanted.pValue = out.data();
  USHER_CHECK(answered(functions->C_GetAttributeValue(session, object, &wanted, 1), "card: attribute"));
  out.resize(std::min<std::size_t>(wanted.ulValueLen, out.size()));
  return out;
}

Result<crypto::PublicKey> p256_key(View point) {
  // CKA_EC_POINT is the point in an OCTET STRING; some modules give the bare point.
  constexpr std::uint8_t kOctetString[] = {0x04, kPointSize};
  if (point.size() == kPointSize + 2 && same(point.first(2), kOctetString)) point = point.subspan(2);
  if (point.size() != kPointSize || point[0] != 0x04) return fail(Fault::module_failed, "card: public key");
  return crypto::PublicKey::from_spki(concat({kP256Spki, point}));
}

Result<crypto::PublicKey> rsa_key(View modulus, View exponent) {
  const crypto::BnPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const crypto::BnPtr e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  if (!n || !e || !build || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return ossl_fail(Fault::module_failed, "card: public key");
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  const crypto::PKeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return ossl_fail(Fault::module_failed, "card: public key");
  }
  const crypto::PKeyPtr owned(key);
  return crypto::PublicKey::from_ossl(key);
}

TokenSession::TokenSession(std::shared_ptr<Module::Library> library, unsigned long handle)
    : library_(std::move(library)), handle_(handle) {}
TokenSession::TokenSession(TokenSession&& other) noexcept = default;
TokenSession& TokenSession::operator=(TokenSession&& other) noexcept {
  if (this != &other) {
    close();
    library_ = std::move(other.library_);
    handle_ = other.handle_;
  }
  return *this;
}
TokenSession::~TokenSession() { close(); }

void TokenSession::close() noexcept {
  if (library_) library_->functions->C_CloseSession(handle_);
  library_.reset();
}

Result<> TokenSession::login(User user, const crypto::Secret* pin) {
  const View bytes = pin != nullptr ? pin->expose() : View{};
  const CK_USER_TYPE type = user == User::user             ? CKU_USER
                            : user == User::each_signature ? CKU_CONTEXT_SPECIFIC
                                                           : CKU_SO;
  const CK_RV value =
      library_->functions->C_Login(handle_, type, pin != nullptr ? unconst(bytes) : nullptr, length(bytes));
  if (value == CKR_USER_ALREADY_LOGGED_IN && user != User::each_signature) return {};
  return answered(value, "card: login");
}

Result<> TokenSession::logout() { return answered(library_->functions->C_Logout(handle_), "card: logout"); }

Result<> TokenSession::alive() const {
  CK_SESSION_INFO info{};
  return answered(library_->functions->C_GetSessionInfo(handle_, &info), "card: session");
}

Result<> TokenSession::set_user_pin(const crypto::Secret& pin) {
  return answered(library_->functions->C_InitPIN(handle_, unconst(pin.expose()), length(pin.expose())),
                  "card: set PIN");
}

Result<std::vector<Object>> TokenSession::find(const Search& search) const {
  CK_FUNCTION_LIST* const functions = library_->functions;
  Template wanted;
  wanted.number(CKA_CLASS, class_of(search.kind));
  if (search.label) wanted.bytes(CKA_LABEL, view_of(*search.label));
  if (search.id) wanted.bytes(CKA_ID, *search.id);
  USHER_CHECK(answered(functions->C_FindObjectsInit(handle_, wanted.data(), wanted.size()), "card: search"));
  std::array<CK_OBJECT_HANDLE, kMaxObjects> handles{};
  CK_ULONG found = 0;
  CK_RV value = CKR_OK;
  for (CK_ULONG more = 1; value == CKR_OK && more > 0 && found < handles.size(); found += more) {
    more = 0;
    value = functions->C_FindObjects(handle_, &handles[found], handles.size() - found, &more);
    more = std::min(more, handles.size() - found);
  }
  functions->C_FindObjectsFinal(handle_);
  USHER_CHECK(answered(value, "card: search"));

  std::vector<Object> out;
  for (const CK_OBJECT_HANDLE handle : std::span(handles).first(found)) {
    USHER_TRY(const Bytes label, attribute(functions, handle_, handle, CKA_LABEL, kMaxAttribute));
    USHER_TRY(Bytes id, attribute(functions, handle_, handle, CKA_ID, kMaxAttribute));
    out.push_back({handle, printable(text_of(label)), std::move(id)});
  }
  return out;
}

Result<KeyUse> TokenSession::use_of(ObjectId private_key) const {
  USHER_TRY(const Bytes flag,
            attribute(library_->functions, handle_, private_key, CKA_ALWAYS_AUTHENTICATE, sizeof(CK_BBOOL)));
  return !flag.empty() && flag.front() != CK_FALSE ? KeyUse::each_signature : KeyUse::after_login;
}

Result<Bytes> TokenSession::value_of(ObjectId certificate) const {
  return attribute(library_->functions, handle_, certificate, CKA_VALUE, kMaxObjectValue);
}

Result<NewKeyPair> TokenSession::generate(crypto::NewKey kind, std::string_view label, View id, KeyUse use) const {
  CK_FUNCTION_LIST* const functions = library_->functions;
  const bool rsa = kind != crypto::NewKey::p256;
  Template of_public;
  of_public.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false).flag(CKA_VERIFY, true);
  of_public.bytes(CKA_LABEL, view_of(label)).bytes(CKA_ID, id);
  if (rsa) {
    of_public.number(CKA_MODULUS_BITS, kind == crypto::NewKey::rsa2048 ? 2048 : 3072);
    of_public.bytes(CKA_PUBLIC_EXPONENT, kExponent);
  } else {
    of_public.bytes(CKA_EC_PARAMS, kP256Oid);
  }
  Template of_private;
  of_private.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  of_private.flag(CKA_SIGN, true)
      .flag(CKA_DECRYPT, false)
      .flag(CKA_UNWRAP, false)
      .bytes(CKA_LABEL, view_of(label))
      .bytes(CKA_ID, id);
  if (use == KeyUse::each_signature) of_private.flag(CKA_ALWAYS_AUTHENTICATE, true);

  CK_MECHANISM mechanism{rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_handle = 0;
  CK_OBJECT_HANDLE private_handle = 0;
  USHER_CHECK(
      answered(functions->C_GenerateKeyPair(handle_, &mechanism, of_public.data(), of_public.size(), of_private.data(),
                                            of_private.size(), &public_handle, &private_handle),
               "card: generate key"));
  if (!rsa) {
    USHER_TRY(const Bytes point, attribute(functions, handle_, public_handle, CKA_EC_POINT, kMaxAttribute));
    USHER_TRY(crypto::PublicKey key, p256_key(point));
    return NewKeyPair{std::move(key), private_handle};
  }
  USHER_TRY(const Bytes modulus, attribute(functions, handle_, public_handle, CKA_MODULUS, kMaxAttribute));
  USHER_TRY(const Bytes exponent, attribute(functions, handle_, public_handle, CKA_PUBLIC_EXPONENT, kMaxAttribute));
  USHER_TRY(crypto::PublicKey key, rsa_key(modulus, exponent));
  return NewKeyPair{std::move(key), private_handle};
}

Result<> TokenSession::write_certificate(std::string_view label, View id, const pki::Certificate& certificate) const {
  const Bytes subject = pki::der_of_name(X509_get_subject_name(certificate.x509()));
  const Bytes issuer = pki::der_of_name(X509_get_issuer_name(certificate.x509()));
  const Bytes serial = crypto::der_of<i2d_ASN1_INTEGER>(X509_get0_serialNumber(certificate.x509()));
  Template wanted;
  wanted.number(CKA_CLASS, CKO_CERTIFICATE).number(CKA_CERTIFICATE_TYPE, CKC_X_509);
  wanted.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false);
  wanted.number(CKA_CERTIFICATE_CATEGORY, certificate.is_ca() ? 2 : 1);
  wanted.bytes(CKA_LABEL, view_of(label)).bytes(CKA_ID, id);
  wanted.bytes(CKA_SUBJECT, subject).bytes(CKA_ISSUER, issuer).bytes(CKA_SERIAL_NUMBER, serial);
  wanted.bytes(CKA_VALUE, certificate.der());
  CK_OBJECT_HANDLE handle = 0;
  return answered(library_->functions->C_CreateObject(handle_, wanted.data(), wanted.size(), &handle),
                  "card: write certificate");
}

}  // namespace usher::card::p11
