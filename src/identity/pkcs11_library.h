// identity/pkcs11_library: what pkcs11.cpp and pkcs11_session.cpp share.
#pragma once

#include <p11-kit/pkcs11.h>

#include "identity/pkcs11.h"

namespace usher::identity::p11 {

struct Module::Library {
  Library(std::string path_in, CK_FUNCTION_LIST* functions_in, bool finalise_in)
      : path(std::move(path_in)), functions(functions_in), finalise(finalise_in) {}
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::string path;
  CK_FUNCTION_LIST* functions;
  bool finalise;  // false: somebody else in this process had initialised it
};

/// What a return value means (§9.7).
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

}  // namespace usher::identity::p11
