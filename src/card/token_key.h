// card/token_key: a private key that stays on a PKCS #11 token, named by a URI (RFC 7512).
// Spec: identity.md §9.10.
//
// For channels, TLS, licences and sealed objects. OpenSSL gets a key whose operations run on the token. The module runs
// in this process: unlike a person's card (card.h), the token is part of the server or the installation, and its
// operator chose it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "crypto/key.h"
#include "crypto/secret.h"

namespace usher::card {

/// Whether `text` names a key on a token, and not a file.
[[nodiscard]] inline bool is_token_key(std::string_view text) noexcept { return text.starts_with("pkcs11:"); }

/// The PINs of tokens. Each PIN is asked for once and kept, because a token that was reconnected needs it again. A
/// refused PIN is not retried automatically, so that a wrong PIN never locks a token. Thread-safe.
class TokenPins {
 public:
  /// Returns the PIN of the token with this label.
  using Ask = std::function<Result<crypto::Secret>(const std::string& token)>;
  explicit TokenPins(Ask ask) : ask_(std::move(ask)) {}

  /// Calls `attempt` with the token's PIN. One attempt at a time. Errors: those of `attempt` and of Ask; wrong_pin, if
  /// the PIN was refused before.
  [[nodiscard]] Result<> log_in(const std::string& token,
                                const std::function<Result<>(const crypto::Secret&)>& attempt);
  /// Forgets refused PINs. They are asked for again and tried: the operator may have corrected them.
  void forget_refused();

 private:
  Ask ask_;
  std::mutex mutex_;
  std::map<std::string, crypto::Secret> known_;
  std::set<std::string> refused_;
};

struct TokenKeyRequest {
  std::string uri{};     // "pkcs11:token=studio;object=client"; no PIN in it
  std::string module{};  // path of the PKCS #11 module, where the URI has no module-path
  std::shared_ptr<TokenPins> pins{};
  bool last_try = false;  // the PIN's last try may be used
  /// Called with the reason when the key becomes unusable, and with nullptr when it is usable again. From any thread.
  std::function<void(const Error* why)> changed{};
};

/// Whether a key that was opened can be used now.
class TokenKeyState {
 public:
  virtual ~TokenKeyState() = default;
  /// Checks the key on the token, and opens the token again if needed. Thread-safe. Errors: as open_token_key.
  [[nodiscard]] virtual Result<> check() = 0;
};

struct TokenKey {
  crypto::PrivateKey key;
  std::shared_ptr<TokenKeyState> state;
};

/// Opens the key and logs in. Many threads may use the key at once, each in its own session. If the token was taken out
/// and is back, the next use finds it by its URI and opens it again: at most one attempt per second, and only for the
/// same key. A failed use returns the reason: card_removed, no_card, wrong_pin, module_failed and others of the class
/// `card`.
/// Errors: bad_config (not such a URI, a PIN in it, no module, more than one token or key that fits); module_missing;
/// no_card, no such token; card_unsuitable, no such key on it; wrong_pin, pin_locked, pin_last_try, pin_invalid;
/// module_failed; bad_key; those of `pins`.
[[nodiscard]] Result<TokenKey> open_token(const TokenKeyRequest& request);
[[nodiscard]] Result<crypto::PrivateKey> open_token_key(const TokenKeyRequest& request);

}  // namespace usher::card
