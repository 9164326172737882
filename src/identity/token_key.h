// identity/token_key: a private key that stays on a PKCS #11 token, named by a URI (RFC 7512).  Spec: identity.md §9.10.
//
// For channels, TLS, licences and sealed objects: OpenSSL gets a key whose operations go to the token. The module runs in
// this process: unlike a person's card (card.h) it is part of the server or the installation, and its operator's choice.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "crypto/key.h"
#include "crypto/secret.h"

namespace usher::identity {

/// Whether this names a key on a token, and not a file.
[[nodiscard]] inline bool is_token_key(std::string_view text) noexcept { return text.starts_with("pkcs11:"); }

/// The PINs of tokens: each is asked for once and kept, since a token that comes back wants it again. One that was
/// refused is not tried a second time by itself, so that a wrong one never locks a token. Thread-safe.
class TokenPins {
 public:
  /// Asked for the PIN of the token with this label.
  using Ask = std::function<Result<crypto::Secret>(const std::string& token)>;
  explicit TokenPins(Ask ask) : ask_(std::move(ask)) {}

  /// One attempt at a time. Errors: those of `attempt` and of the question; wrong_pin, refused before.
  [[nodiscard]] Result<> log_in(const std::string& token,
                                const std::function<Result<>(const crypto::Secret&)>& attempt);
  /// Refused ones are asked for again, and tried: somebody may have mended them.
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
  bool last_try = false;  // the PIN's last try may be spent
  /// Told when the key can no longer be used, and (nullptr) when it can again. Called from any thread.
  std::function<void(const Error* why)> changed{};
};

/// Whether a key that was opened can be used now.
class TokenKeyState {
 public:
  virtual ~TokenKeyState() = default;
  /// Asks the token, and opens it again where that is needed. Thread-safe. Errors: as open_token_key.
  [[nodiscard]] virtual Result<> check() = 0;
};

struct TokenKey {
  crypto::PrivateKey key;
  std::shared_ptr<TokenKeyState> state;
};

/// Logs in. The key may be used by many threads at once, each in a session of its own. Where the token was taken out and
/// is back, it is found by its URI and opened again at the next use: at most one attempt a second, and only for the same
/// key. What fails tells why: card_removed, no_card, wrong_pin, module_failed and others of the class `card`.
/// Errors: bad_config (not such a URI, a PIN in it, no module, more than one token or key that fits); module_missing;
/// no_card, no such token; card_unsuitable, no such key on it; wrong_pin, pin_locked, pin_last_try, pin_invalid;
/// module_failed; bad_key; those of `pins`.
[[nodiscard]] Result<TokenKey> open_token(const TokenKeyRequest& request);
[[nodiscard]] Result<crypto::PrivateKey> open_token_key(const TokenKeyRequest& request);

}  // namespace usher::identity
