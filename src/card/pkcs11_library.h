// card/pkcs11_library: the parts of the Cryptoki layer that the pkcs11*.cpp files share.
#pragma once

#include <p11-kit/pkcs11.h>

#include "card/pkcs11.h"

namespace usher::card::p11 {

struct Module::Library {
  Library(std::string path_in, CK_FUNCTION_LIST* functions_in, bool finalise_in)
      : path(std::move(path_in)), functions(functions_in), finalise(finalise_in) {}
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::string path;
  CK_FUNCTION_LIST* functions;
  bool finalise;  // false: other code in this process had initialised it
};

/// The Fault for a return value (§9.7).
[[nodiscard]] Fault fault_of(CK_RV value) noexcept;
[[nodiscard]] std::unexpected<Error> fail_rv(CK_RV value, std::string_view where);

/// `return answered(functions->C_Something(…), "card: something");`
[[nodiscard]] inline Result<> answered(CK_RV value, std::string_view where) {
  if (value == CKR_OK) return {};
  return fail_rv(value, where);
}

/// Cryptoki's pointers are not const, though it does not write through them.
[[nodiscard]] inline CK_BYTE* unconst(View bytes) noexcept { return const_cast<CK_BYTE*>(bytes.data()); }
[[nodiscard]] inline CK_ULONG length(View bytes) noexcept { return bytes.size(); }

inline constexpr std::size_t kMaxAttribute = 1024;  // bytes of a label, an id, a modulus, a point

/// An attribute's value; empty if the object has no such attribute, or does not reveal it.
[[nodiscard]] Result<Bytes> attribute(CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE session, ObjectId object,
                                      CK_ATTRIBUTE_TYPE type, std::size_t max);
/// From CKA_EC_POINT; from CKA_MODULUS and CKA_PUBLIC_EXPONENT. Errors: module_failed, bad_key.
[[nodiscard]] Result<crypto::PublicKey> p256_key(View point);
[[nodiscard]] Result<crypto::PublicKey> rsa_key(View modulus, View exponent);

}  // namespace usher::card::p11
