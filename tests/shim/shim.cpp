// A PKCS #11 module of our own in front of another one (SoftHSM). SoftHSM never locks a PIN, is never taken out of its
// reader, never hangs and never crashes. This module does.
//
// Environment:
//   USHER_SHIM_MODULE  the real module; /usr/lib/softhsm/libsofthsm2.so if not set
//   USHER_SHIM_DIR     a directory with these files, each of which may be absent; read anew at every call:
//     mode   lines: "hang C_Login" (or another of the functions below), "crash C_Sign", "removed" (also: no card from
//            the start), "pulled" (the same, and open sessions are lost for good, as with a reader),
//            "vanish C_Sign" (taken out at that call, and never put in again), "unplugged" (no reader),
//            "protected" (the PIN is entered at the reader: taken from the file `pin`),
//            "tries N" (wrong PINs that lock; 3 by default), "blank" (not initialised), "unset" (the PIN),
//            "stale" (the card was out, and is in again: sessions are gone), "another" (card, by its serial number),
//            "mechanisms CKM_ECDSA …" (and no others), "forge" (its signatures are wrong),
//            "garble" (its certificates are no certificates)
//     pin    the PIN typed at the reader, for "protected"
//     wrong  the number of wrong PINs so far: written by the shim, so that it outlives the process as on a card
//     logins the number of times that the card was given a PIN, or asked for one at the reader: written by the shim
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST ours{};

std::string file(const char* name) {
  const char* const folder = std::getenv("USHER_SHIM_DIR");
  if (folder == nullptr) return {};
  const std::ifstream in(std::filesystem::path(folder) / name, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// 0 where there is no number.
int number_of(const std::string& text) { return static_cast<int>(std::strtol(text.c_str(), nullptr, 10)); }

/// Whether a line of the file `mode` begins with `word` (and `argument`); `number`: what follows, as a number.
bool mode_has(std::string_view word, std::string_view argument = {}, int* number = nullptr) {
  std::istringstream lines(file("mode"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string first;
    std::string second;
    in >> first >> second;
    if (first != word || (!argument.empty() && second != argument)) continue;
    if (number != nullptr) *number = number_of(second);
    return true;
  }
  return false;
}

int allowed_tries() {
  int tries = 3;
  mode_has("tries", {}, &tries);
  return tries;
}

int wrong_pins() { return number_of(file("wrong")); }

void write_number(const char* name, int number) {
  if (const char* const folder = std::getenv("USHER_SHIM_DIR")) {
    std::ofstream(std::filesystem::path(folder) / name) << number;
  }
}

void set_wrong_pins(int count) { write_number("wrong", count); }

bool g_vanished = false;
/// A module must not lose a session while it is used in it: SoftHSM does not survive that.
std::shared_mutex sessions_in_use;

/// Calls the real module.
template <class Function, class... Arguments>
CK_RV behind(Function function, Arguments... arguments) {
  const std::shared_lock lock(sessions_in_use);
  return function(arguments...);
}

/// Does what the file `mode` requires for this function. Returns whether the card is present.
bool present(const char* function) {
  if (mode_has("vanish", function)) g_vanished = true;
  if (mode_has("hang", function)) {
    for (;;) ::pause();
  }
  if (mode_has("crash", function)) std::abort();
  static std::atomic<bool> lost = false;
  const bool pulled = mode_has("pulled");
  if (!pulled) lost = false;
  if (pulled && !lost.exchange(true)) {
    const std::unique_lock lock(sessions_in_use);
    std::array<CK_SLOT_ID, 16> slots{};
    CK_ULONG count = slots.size();
    if (real->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) count = 0;
    for (const CK_SLOT_ID slot : std::span(slots).first(count)) real->C_CloseAllSessions(slot);
  }
  return !g_vanished && !pulled && !mode_has("removed");
}

CK_RV get_slot_list(CK_BBOOL with_token, CK_SLOT_ID* slots, CK_ULONG* count) {
  const bool card = present("C_GetSlotList");
  if ((card || with_token == CK_FALSE) && !mode_has("unplugged")) return real->C_GetSlotList(with_token, slots, count);
  *count = 0;
  return CKR_OK;
}

CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  const bool card = present("C_GetSlotInfo");
  const CK_RV value = real->C_GetSlotInfo(slot, info);
  if (value == CKR_OK && !card) info->flags &= ~CKF_TOKEN_PRESENT;
  return value;
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  if (!present("C_GetTokenInfo")) return CKR_TOKEN_NOT_PRESENT;
  const CK_RV value = real->C_GetTokenInfo(slot, info);
  if (value != CKR_OK) return value;
  info->flags &= ~(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
  const int wrong = wrong_pins();
  const int allowed = allowed_tries();
  if (wrong > 0) info->flags |= CKF_USER_PIN_COUNT_LOW;
  if (wrong == allowed - 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
  if (wrong >= allowed) info->flags |= CKF_USER_PIN_LOCKED;
  if (mode_has("protected")) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  if (mode_has("another")) info->serialNumber[0] = '#';
  if (mode_has("blank")) info->flags &= ~CKF_TOKEN_INITIALIZED;
  if (mode_has("unset")) info->flags &= ~CKF_USER_PIN_INITIALIZED;
  return CKR_OK;
}

CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  if (!present("C_GetSessionInfo")) return CKR_DEVICE_REMOVED;
  if (mode_has("stale")) return CKR_SESSION_HANDLE_INVALID;
  return behind(real->C_GetSessionInfo, session, info);
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify, CK_SESSION_HANDLE* session) {
  if (!present("C_OpenSession")) return CKR_TOKEN_NOT_PRESENT;
  return behind(real->C_OpenSession, slot, flags, application, notify, session);
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
  if (!present("C_Login")) return CKR_DEVICE_REMOVED;
  if (user == CKU_SO) return behind(real->C_Login, session, user, pin, size);
  write_number("logins", number_of(file("logins")) + 1);
  const int wrong = wrong_pins();
  if (wrong >= allowed_tries()) return CKR_PIN_LOCKED;
  std::string typed = file("pin");
  if (pin == nullptr && mode_has("protected")) {
    pin = reinterpret_cast<CK_UTF8CHAR*>(typed.data());
    size = typed.size();
  }
  const CK_RV value = behind(real->C_Login, session, user, pin, size);
  if (value == CKR_PIN_INCORRECT) set_wrong_pins(wrong + 1);
  if (value == CKR_OK) set_wrong_pins(0);
  return value;
}

CK_RV init_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG size) {
  const CK_RV value = real->C_InitPIN(session, pin, size);
  if (value == CKR_OK) set_wrong_pins(0);
  return value;
}

CK_RV find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  if (!present("C_FindObjectsInit")) return CKR_DEVICE_REMOVED;
  return behind(real->C_FindObjectsInit, session, wanted, count);
}

constexpr std::pair<std::string_view, CK_MECHANISM_TYPE> kMechanisms[] = {
    {"CKM_RSA_PKCS", CKM_RSA_PKCS},
    {"CKM_SHA1_RSA_PKCS", CKM_SHA1_RSA_PKCS},
    {"CKM_SHA256_RSA_PKCS", CKM_SHA256_RSA_PKCS},
    {"CKM_RSA_PKCS_PSS", CKM_RSA_PKCS_PSS},
    {"CKM_SHA1_RSA_PKCS_PSS", CKM_SHA1_RSA_PKCS_PSS},
    {"CKM_SHA256_RSA_PKCS_PSS", CKM_SHA256_RSA_PKCS_PSS},
    {"CKM_ECDSA", CKM_ECDSA},
    {"CKM_ECDSA_SHA1", CKM_ECDSA_SHA1},
};

/// nullopt: the real module's mechanisms.
std::optional<std::vector<CK_MECHANISM_TYPE>> mechanisms() {
  std::istringstream lines(file("mode"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string word;
    if (!(in >> word) || word != "mechanisms") continue;
    std::vector<CK_MECHANISM_TYPE> out;
    while (in >> word) {
      const auto known = std::ranges::find(kMechanisms, word, [](const auto& one) { return one.first; });
      if (known == std::end(kMechanisms)) std::abort();
      out.push_back(known->second);
    }
    return out;
  }
  return std::nullopt;
}

CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE* list, CK_ULONG* count) {
  if (!present("C_GetMechanismList")) return CKR_TOKEN_NOT_PRESENT;
  const auto ours_only = mechanisms();
  if (!ours_only) return real->C_GetMechanismList(slot, list, count);
  const CK_ULONG room = *count;
  *count = ours_only->size();
  if (list == nullptr) return CKR_OK;
  if (room < ours_only->size()) return CKR_BUFFER_TOO_SMALL;
  std::ranges::copy(*ours_only, list);
  return CKR_OK;
}

CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  if (!present("C_GetAttributeValue")) return CKR_DEVICE_REMOVED;
  const CK_RV value = behind(real->C_GetAttributeValue, session, object, wanted, count);
  for (CK_ULONG i = 0; value == CKR_OK && mode_has("garble") && i < count; ++i) {
    if (wanted[i].type == CKA_VALUE && wanted[i].pValue != nullptr) *static_cast<CK_BYTE*>(wanted[i].pValue) ^= 1;
  }
  return value;
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (!present("C_SignInit")) return CKR_DEVICE_REMOVED;
  const auto ours_only = mechanisms();
  if (ours_only && std::ranges::find(*ours_only, mechanism->mechanism) == ours_only->end()) {
    return CKR_MECHANISM_INVALID;
  }
  return behind(real->C_SignInit, session, mechanism, key);
}

CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (!present("C_DecryptInit")) return CKR_DEVICE_REMOVED;
  return behind(real->C_DecryptInit, session, mechanism, key);
}

CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key, CK_ATTRIBUTE* wanted,
                 CK_ULONG count, CK_OBJECT_HANDLE* derived) {
  if (!present("C_DeriveKey")) return CKR_DEVICE_REMOVED;
  return behind(real->C_DeriveKey, session, mechanism, key, wanted, count, derived);
}

CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature, CK_ULONG* signature_size) {
  if (!present("C_Sign")) return CKR_DEVICE_REMOVED;
  const CK_RV value = behind(real->C_Sign, session, data, size, signature, signature_size);
  if (value == CKR_OK && signature != nullptr && mode_has("forge")) signature[*signature_size / 2] ^= 1;
  return value;
}

CK_RV initialise(void* arguments) {
  (void)present("C_Initialize");
  return real->C_Initialize(arguments);
}

bool load_real() {
  const char* const named = std::getenv("USHER_SHIM_MODULE");
  void* const handle = ::dlopen(named != nullptr ? named : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return false;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(handle, "C_GetFunctionList"));
  return get != nullptr && get(&real) == CKR_OK && real != nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  if (real == nullptr) {
    if (!load_real()) return CKR_GENERAL_ERROR;
    ours = *real;
    ours.C_GetFunctionList = C_GetFunctionList;
    ours.C_Initialize = initialise;
    ours.C_GetSlotList = get_slot_list;
    ours.C_GetSlotInfo = get_slot_info;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_GetMechanismList = get_mechanism_list;
    ours.C_OpenSession = open_session;
    ours.C_GetSessionInfo = get_session_info;
    ours.C_Login = login;
    ours.C_InitPIN = init_pin;
    ours.C_FindObjectsInit = find_objects_init;
    ours.C_GetAttributeValue = get_attribute_value;
    ours.C_DecryptInit = decrypt_init;
    ours.C_DeriveKey = derive_key;
    ours.C_SignInit = sign_init;
    ours.C_Sign = sign;
  }
  *list = &ours;
  return CKR_OK;
}
