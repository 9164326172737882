#include "card/pkcs11.h"

#include <map>
#include <mutex>

#include <dlfcn.h>

#include <fmt/format.h>

#include "base/encoding.h"
#include "card/pkcs11_library.h"

namespace usher::card::p11 {
namespace {

/// A process has one instance of each module: the first user initialises it, the last user finalises it.
std::mutex& registry_lock() {
  static std::mutex lock;
  return lock;
}

template <std::size_t N>
std::string text_of_field(const CK_UTF8CHAR (&field)[N]) {
  std::string_view text = text_of(View(field, N));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return printable(text);
}

PinState pin_state_of(CK_FLAGS flags) noexcept {
  if ((flags & CKF_USER_PIN_LOCKED) != 0) return PinState::locked;
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) return PinState::last_try;
  if ((flags & CKF_USER_PIN_COUNT_LOW) != 0) return PinState::low;
  return (flags & CKF_USER_PIN_INITIALIZED) != 0 ? PinState::ok : PinState::not_set;
}

}  // namespace

std::string_view words(PinState state) noexcept {
  switch (state) {
    case PinState::ok:
      return "";
    case PinState::low:
      return "A wrong PIN has been entered before; few tries are left.";
    case PinState::last_try:
      return "One try is left before the card locks its PIN.";
    case PinState::locked:
      return "The card has locked its PIN.";
    case PinState::not_set:
      return "The card's PIN has not been set.";
  }
  return "";
}

Fault fault_of(CK_RV value) noexcept {
  switch (value) {
    case CKR_PIN_INCORRECT:
      return Fault::wrong_pin;
    case CKR_PIN_LOCKED:
      return Fault::pin_locked;
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return Fault::pin_invalid;
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_DEVICE_REMOVED:
    case CKR_SLOT_ID_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
      return Fault::card_removed;
    case CKR_FUNCTION_CANCELED:
    case CKR_FUNCTION_REJECTED:
      return Fault::cancelled;
    case CKR_USER_NOT_LOGGED_IN:
      return Fault::not_authenticated;
    case CKR_TOKEN_WRITE_PROTECTED:
    case CKR_SESSION_READ_ONLY:
    case CKR_ACTION_PROHIBITED:
      return Fault::not_permitted;
    case CKR_DEVICE_MEMORY:
      return Fault::disk_full;
    case CKR_USER_PIN_NOT_INITIALIZED:
    case CKR_PIN_EXPIRED:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_SIZE_RANGE:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_DOMAIN_PARAMS_INVALID:
      return Fault::card_unsuitable;
    default:
      return Fault::module_failed;
  }
}

std::unexpected<Error> fail_rv(CK_RV value, std::string_view where) {
  const Fault fault = fault_of(value);
  if (value == CKR_USER_PIN_NOT_INITIALIZED) return fail(fault, where, "its PIN has not been set");
  if (value == CKR_PIN_EXPIRED) return fail(fault, where, "its PIN has expired");
  if (fault == Fault::module_failed || fault == Fault::card_unsuitable) {
    return fail(fault, where, fmt::format("the module's answer was {:#x}", value));
  }
  return fail(fault, where);
}

namespace {

Result<std::vector<SlotId>> slot_list(const CK_FUNCTION_LIST& functions, CK_BBOOL with_token) {
  std::vector<SlotId> slots(kMaxSlots);
  CK_ULONG count = kMaxSlots;
  USHER_CHECK(answered(functions.C_GetSlotList(with_token, slots.data(), &count), "module: slots"));
  slots.resize(std::min<std::size_t>(count, kMaxSlots));
  return slots;
}

}  // namespace

Module::Library::~Library() {
  const std::scoped_lock guard(registry_lock());
  if (finalise) functions->C_Finalize(nullptr);
}

Result<Module> Module::load(const std::string& path) {
  static std::map<std::string, std::weak_ptr<Library>> registry;
  const std::scoped_lock guard(registry_lock());
  if (auto loaded = registry[path].lock()) return Module(std::move(loaded));

  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(Fault::module_missing, "module: load", path);
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(handle, "C_GetFunctionList"));
  if (get == nullptr) return fail(Fault::module_missing, "module: not PKCS #11", path);
  CK_FUNCTION_LIST* functions = nullptr;
  if (get(&functions) != CKR_OK || functions == nullptr || functions->version.major != 2) {
    return fail(Fault::module_failed, "module: functions", path);
  }
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV value = functions->C_Initialize(&arguments);
  if (value != CKR_OK && value != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return fail(Fault::module_failed, "module: initialise", fmt::format("{} answered {:#x}", path, value));
  }
  auto library = std::make_shared<Library>(path, functions, value == CKR_OK);
  registry[path] = library;
  return Module(std::move(library));
}

const std::string& Module::path() const noexcept { return library_->path; }

std::string Module::description() const {
  CK_INFO info{};
  if (library_->functions->C_GetInfo(&info) != CKR_OK) return {};
  return fmt::format("{}, version {}.{}", text_of_field(info.libraryDescription), info.libraryVersion.major,
                     info.libraryVersion.minor);
}

Result<std::vector<SlotInfo>> Module::slots() const {
  USHER_TRY(const std::vector<SlotId> slots, slot_list(*library_->functions, CK_FALSE));
  std::vector<SlotInfo> out;
  for (const SlotId id : slots) {
    // Leaves out a reader that was disconnected after the list was made.
    if (auto info = slot(id)) out.push_back(*std::move(info));
  }
  return out;
}

Result<SlotInfo> Module::slot(SlotId slot) const {
  CK_SLOT_INFO info{};
  USHER_CHECK(answered(library_->functions->C_GetSlotInfo(slot, &info), "module: slot"));
  return SlotInfo{.slot = slot,
                  .description = text_of_field(info.slotDescription),
                  .token_present = (info.flags & CKF_TOKEN_PRESENT) != 0};
}

namespace {

/// 0 if the module's value is not plausible.
std::uint32_t pin_length_of(CK_ULONG told) noexcept { return told <= 1024 ? static_cast<std::uint32_t>(told) : 0; }

}  // namespace

Result<std::vector<TokenInfo>> Module::tokens() const {
  USHER_TRY(const std::vector<SlotId> slots, slot_list(*library_->functions, CK_TRUE));
  std::vector<TokenInfo> out;
  for (const SlotId slot : slots) {
    auto info = token(slot);
    if (info) {
      out.push_back(*std::move(info));
    } else if (info.error().fault == Fault::module_failed) {
      return std::unexpected(std::move(info).error());
    }
    // Otherwise the card was taken out after the list was made, or the module does not know it: leave it out.
  }
  return out;
}

Result<TokenInfo> Module::token(SlotId slot) const {
  CK_TOKEN_INFO info{};
  USHER_CHECK(answered(library_->functions->C_GetTokenInfo(slot, &info), "module: token"));
  return TokenInfo{.slot = slot,
                   .label = text_of_field(info.label),
                   .manufacturer = text_of_field(info.manufacturerID),
                   .model = text_of_field(info.model),
                   .serial = text_of_field(info.serialNumber),
                   .initialised = (info.flags & CKF_TOKEN_INITIALIZED) != 0,
                   .login_required = (info.flags & CKF_LOGIN_REQUIRED) != 0,
                   .protected_path = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
                   .write_protected = (info.flags & CKF_WRITE_PROTECTED) != 0,
                   .pin = pin_state_of(info.flags),
                   .min_pin = pin_length_of(info.ulMinPinLen),
                   .max_pin = pin_length_of(info.ulMaxPinLen)};
}

Result<TokenSession> Module::open(SlotId slot, bool writing) const {
  CK_SESSION_HANDLE handle = 0;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writing ? CKF_RW_SESSION : 0UL);
  USHER_CHECK(
      answered(library_->functions->C_OpenSession(slot, flags, nullptr, nullptr, &handle), "module: open session"));
  return TokenSession(library_, handle);
}

Result<> Module::init_token(SlotId slot, const crypto::Secret& so_pin, std::string_view label) const {
  if (label.empty() || label.size() > kMaxLabel) return fail(Fault::bad_usage, "token: label", std::string(label));
  std::array<CK_UTF8CHAR, kMaxLabel> padded{};
  padded.fill(' ');
  std::ranges::copy(label, padded.begin());
  return answered(
      library_->functions->C_InitToken(slot, unconst(so_pin.expose()), length(so_pin.expose()), padded.data()),
      "token: initialise");
}

}  // namespace usher::card::p11
