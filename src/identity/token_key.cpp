#include "identity/token_key.h"

#include <memory>
#include <vector>

#include <libp11.h>
#include <openssl/err.h>
#include <p11-kit/uri.h>

#include "base/encoding.h"
#include "identity/pkcs11_library.h"

namespace usher::identity {
namespace {

using Uri = std::unique_ptr<P11KitUri, decltype([](P11KitUri* uri) { p11_kit_uri_free(uri); })>;

std::unexpected<Error> bad_uri(std::string why) { return fail(Fault::bad_config, "token key: uri", std::move(why)); }

/// What libp11 left in OpenSSL's queue: the module's answer is the reason.
std::unexpected<Error> module_fail(std::string_view where, std::string about = {}) {
  const auto reason = static_cast<CK_RV>(ERR_GET_REASON(ERR_peek_last_error()));
  const Fault fault = reason == CKR_OK ? Fault::module_failed : p11::fault_of(reason);
  return crypto::ossl_fail(fault, where, std::move(about));
}

Result<Uri> parse(const std::string& text) {
  Uri uri(p11_kit_uri_new());
  if (!uri) return fail(Fault::local, "token key: uri");
  constexpr auto kWanted = static_cast<P11KitUriType>(P11_KIT_URI_FOR_OBJECT_ON_TOKEN | P11_KIT_URI_FOR_MODULE);
  if (const int wrong = p11_kit_uri_parse(text.c_str(), kWanted, uri.get()); wrong != P11_KIT_URI_OK) {
    return bad_uri("the URI of the key cannot be read");
  }
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0) return bad_uri("the URI of the key has an unknown attribute");
  if (p11_kit_uri_get_pin_value(uri.get()) != nullptr || p11_kit_uri_get_pin_source(uri.get()) != nullptr) {
    return bad_uri("the PIN does not belong into the URI of the key: it is asked for, or read from a file");
  }
  return uri;
}

Result<std::string> module_of(const TokenKeyRequest& request, const P11KitUri* uri) {
  if (!request.module.empty()) return request.module;
  if (const char* path = p11_kit_uri_get_module_path(uri); path != nullptr) return std::string(path);
  return bad_uri("neither installation.module nor a module-path in the URI says which PKCS #11 module has the key");
}

/// A field of CK_TOKEN_INFO: blanks to its end.
template <std::size_t N>
void put_field(CK_UTF8CHAR (&field)[N], const char* text) {
  const std::string_view value = text != nullptr ? text : "";
  std::ranges::fill(field, static_cast<CK_UTF8CHAR>(' '));
  std::ranges::copy(value.substr(0, N), std::begin(field));
}

bool fits(const P11KitUri* uri, const PKCS11_TOKEN& token) {
  CK_TOKEN_INFO info{};
  put_field(info.label, token.label);
  put_field(info.manufacturerID, token.manufacturer);
  put_field(info.model, token.model);
  put_field(info.serialNumber, token.serialnr);
  return p11_kit_uri_match_token_info(uri, &info) != 0;
}

bool fits(const P11KitUri* uri, const PKCS11_KEY& key) {
  CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  const std::string_view label = key.label != nullptr ? key.label : "";
  const CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &kind, sizeof kind},
                                     {CKA_LABEL, const_cast<char*>(label.data()), label.size()},
                                     {CKA_ID, key.id, key.id_len}};
  return p11_kit_uri_match_attributes(uri, attributes, std::size(attributes)) != 0;
}

/// A loaded module and its slots, for as long as the process lives.
struct Loaded {
  PKCS11_CTX* context = nullptr;
  PKCS11_SLOT* slots = nullptr;
  unsigned count = 0;
};

Result<Loaded*> load(const std::string& module) {
  // Reachable to the end, and never freed: whoever has a copy of a key uses them.
  static auto* const kept = new std::vector<std::unique_ptr<Loaded>>;
  auto loaded = std::make_unique<Loaded>();
  loaded->context = PKCS11_CTX_new();
  if (loaded->context == nullptr) return crypto::ossl_fail(Fault::local, "token key: module");
  if (PKCS11_CTX_load(loaded->context, module.c_str()) != 0) {
    PKCS11_CTX_free(loaded->context);
    return crypto::ossl_fail(Fault::module_missing, "token key: module", module);
  }
  kept->push_back(std::move(loaded));
  Loaded* const out = kept->back().get();
  if (PKCS11_enumerate_slots(out->context, &out->slots, &out->count) != 0) return module_fail("token key: slots");
  return out;
}

Result<PKCS11_SLOT*> find_slot(const Loaded& loaded, const P11KitUri* uri) {
  PKCS11_SLOT* found = nullptr;
  for (PKCS11_SLOT& slot : std::span(loaded.slots, loaded.count)) {
    if (slot.token == nullptr || slot.token->initialized == 0 || !fits(uri, *slot.token)) continue;
    if (found != nullptr) return bad_uri("more than one token fits the URI of the key");
    found = &slot;
  }
  if (found == nullptr) return fail(Fault::no_card, "token key", "no token fits the URI of the key");
  return found;
}

Result<> log_in(PKCS11_SLOT& slot, const TokenKeyRequest& request) {
  const PKCS11_TOKEN& token = *slot.token;
  if (token.loginRequired == 0) return {};
  if (token.userPinLocked != 0) return fail(Fault::pin_locked, "token key: login");
  if (token.userPinFinalTry != 0 && !request.last_try) return fail(Fault::pin_last_try, "token key: login");
  if (token.secureLogin != 0) {  // the PIN is typed at the token
    return PKCS11_login(&slot, 0, nullptr) == 0 ? Result<>{} : module_fail("token key: login");
  }
  USHER_TRY(const crypto::Secret pin, request.pin(printable(token.label != nullptr ? token.label : "")));
  crypto::Secret text(pin.size() + 1);  // with a zero at its end
  std::ranges::copy(pin.expose(), text.expose_for_writing().begin());
  if (std::ranges::count(pin.expose(), std::uint8_t{0}) != 0) return fail(Fault::pin_invalid, "token key: login");
  if (PKCS11_login(&slot, 0, reinterpret_cast<const char*>(text.expose().data())) != 0) {
    return module_fail("token key: login");
  }
  return {};
}

Result<PKCS11_KEY*> find_key(const PKCS11_SLOT& slot, const P11KitUri* uri) {
  PKCS11_KEY* keys = nullptr;
  unsigned count = 0;
  if (PKCS11_enumerate_keys(slot.token, &keys, &count) != 0) return module_fail("token key: keys");
  PKCS11_KEY* found = nullptr;
  for (PKCS11_KEY& key : std::span(keys, count)) {
    if (!fits(uri, key)) continue;
    if (found != nullptr) return bad_uri("more than one key fits the URI");
    found = &key;
  }
  if (found == nullptr) return fail(Fault::card_unsuitable, "token key", "no private key on it fits the URI");
  return found;
}

}  // namespace

Result<crypto::PrivateKey> open_token_key(const TokenKeyRequest& request) {
  USHER_TRY(const Uri uri, parse(request.uri));
  USHER_TRY(const std::string module, module_of(request, uri.get()));
  ERR_clear_error();
  USHER_TRY(const Loaded* const loaded, load(module));
  USHER_TRY(PKCS11_SLOT* const slot, find_slot(*loaded, uri.get()));
  USHER_CHECK(log_in(*slot, request));
  USHER_TRY(PKCS11_KEY* const found, find_key(*slot, uri.get()));
  crypto::PKeyPtr key(PKCS11_get_private_key(found));
  if (!key) return module_fail("token key: use");
  return crypto::PrivateKey::from_ossl(std::move(key));
}

}  // namespace usher::identity
