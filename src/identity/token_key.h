// identity/token_key: an installation's private key that stays on a PKCS #11 token, named by a URI (RFC 7512).
//
// For TLS and for sealed objects: OpenSSL gets a key whose operations libp11 carries to the token. The module runs in
// this process: unlike a person's card (card.h) it is part of the installation, and its operator's choice.
#pragma once

#include <functional>
#include <string>

#include "crypto/key.h"
#include "crypto/secret.h"

namespace usher::identity {

/// Whether this names a key on a token, and not a file.
[[nodiscard]] inline bool is_token_key(std::string_view text) noexcept { return text.starts_with("pkcs11:"); }

struct TokenKeyRequest {
  std::string uri{};     // "pkcs11:token=studio;object=client"; no PIN in it
  std::string module{};  // path of the PKCS #11 module; empty: the URI's module-path
  /// Asked for the PIN of the token with this label, once, if it wants a login.
  std::function<Result<crypto::Secret>(const std::string& token)> pin{};
  bool last_try = false;  // the PIN's last try may be spent
};

/// Logs in. The token stays open until the process ends: OpenSSL's copies of the key point into it.
/// Errors: bad_config (not such a URI, a PIN in it, no module, more than one token or key that fits); module_missing;
/// no_card, no such token; card_unsuitable, no such key on it; wrong_pin, pin_locked, pin_last_try, pin_invalid;
/// module_failed; bad_key; those of `pin`.
[[nodiscard]] Result<crypto::PrivateKey> open_token_key(const TokenKeyRequest& request);

}  // namespace usher::identity
