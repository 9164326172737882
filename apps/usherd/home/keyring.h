// usherd/home/keyring: opens the server's private keys, in files or on tokens, as long as the process lives.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "card/token_key.h"
#include "common/passphrase.h"
#include "crypto/key.h"
#include "usherd/config/config.h"

namespace usher::usherd {

/// The passphrase of the key files, the PIN of tokens, and the keys on tokens that are in use. Thread-safe.
class Keyring {
 public:
  Keyring(crypto::Secret passphrase, card::TokenPins::Ask ask_for_pin);

  [[nodiscard]] const crypto::Secret& passphrase() const noexcept { return passphrase_; }
  /// `name`: a file of the configuration, or a token key's URI.
  /// Errors: not_found, not_permitted (modes), bad_passphrase, unencrypted_key, malformed; card::open_token's.
  [[nodiscard]] Result<crypto::PrivateKey> load(const Config& config, const std::string& name);
  /// Refused PINs may have been corrected: they are read and tried again.
  void forget_refused_pins() { pins_->forget_refused(); }

  /// Called when a key on a token becomes unusable (`why`), and when it is usable again (nullptr). From any thread.
  using Observer = std::function<void(const std::string& uri, const Error* why)>;
  void observe(Observer observer);
  /// Checks the tokens, one caller at a time. A caller that has waited for 5 s returns that a token hangs. Empty, or a
  /// few words about the key that cannot be used.
  [[nodiscard]] std::string unusable();

 private:
  struct Watch {
    std::mutex mutex;
    Observer observer;
  };
  struct Opened {
    std::string uri;
    std::weak_ptr<card::TokenKeyState> state;
  };
  [[nodiscard]] static std::string first_unusable(const std::vector<Opened>& opened);

  crypto::Secret passphrase_;
  std::shared_ptr<card::TokenPins> pins_;
  std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();
  std::mutex mutex_;
  std::vector<Opened> opened_;
  bool asking_ = false;  // a caller of unusable() is checking the tokens, without the lock
  std::condition_variable asked_;
};

/// Passphrase: --passphrase-file or --passphrase-fd; otherwise keys.passphrase_file; otherwise a prompt. PIN:
/// --pin-file or --pin-fd; otherwise keys.pin_file; otherwise a prompt, at the first key on a token. A file inside the
/// home is refused: it would be stored together with the keys that it protects, in every backup too. `fresh`: a prompt
/// asks twice.
/// Errors: bad_config, and read_passphrase's.
[[nodiscard]] Result<std::unique_ptr<Keyring>> open_keyring(const Config& config,
                                                            const app::PassphraseSource& passphrase,
                                                            const app::PassphraseSource& pin, bool fresh = false);

}  // namespace usher::usherd
