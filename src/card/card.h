// card/card: finds a person's card, logs in to it and signs with it.  Spec: identity.md §9.
//
// The PKCS #11 module runs in a child process (card_agent.h): if it hangs or crashes, the program continues.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "card/pkcs11.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "person/profile.h"
#include "pki/certificate.h"

namespace usher::card {

using p11::PinState;

/// A certificate to choose from, where several fit (§9.3).
struct CardChoice {
  pki::Certificate certificate;
  std::string label;  // the certificate's, on the token
  std::string token_label;
  p11::SlotId slot = 0;
  /// The first 16 digits of its fingerprint, as CardOptions::certificate takes them.
  [[nodiscard]] std::string name() const;
};
/// Returns the index of the certificate to use. Errors: the caller's; after cancelled no other module is tried.
using ChooseCertificate = std::function<Result<std::size_t>(const std::vector<CardChoice>& choices)>;

struct CardOptions {
  /// PKCS #11 modules, tried in order: paths, or names for the loader to find. Empty: the profile's, then
  /// kDefaultModules.
  std::vector<std::string> modules{};
  person::Profile profile{};
  std::string token_label{};             // empty: any token that fits
  std::optional<p11::SlotId> slot{};     // not set: any
  std::string certificate{};             // the first digits of its fingerprint, hexadecimal, at least 8; empty: any
  std::optional<Time> now{};             // certificates that are not valid then are skipped; not set: no such check
  ChooseCertificate choose{};            // called if several can be used; empty: an error that names all of them
  pki::Chain intermediates{};            // sub-CAs for cards that do not hold theirs (§5.2)
  Milliseconds deadline{20'000};         // of each call
  Milliseconds login_deadline{120'000};  // if the PIN is typed at the reader
  bool silent = false;                   // for a program that leaves the terminal: the child does not keep stderr
  bool in_process = false;               // no child: for tests and for provisioning
  std::filesystem::path agent = "/proc/self/exe";  // its main() calls run_card_agent for `card-agent`
};

inline constexpr std::string_view kDefaultModules[] = {"libpteidpkcs11.so", "opensc-pkcs11.so"};
inline constexpr std::size_t kMaxCardModules = 16;

/// Whether a login may use the last PIN try (§9.4).
enum class LastTry : std::uint8_t { refuse, accept };

/// A Signer that makes the card's signatures of §6.3. The card signs once per login. Thread-safe: calls run one after
/// the other. The destructor logs out and ends the child.
class Card final : public crypto::Signer {
 public:
  /// Finds module, token and certificate; needs no PIN. May call CardOptions::choose.
  /// Errors: module_missing, module_failed (also: hung, crashed), no_card, card_removed, card_unsuitable; those of
  /// CardOptions::choose; bad_config (CardOptions::certificate is not the beginning of a fingerprint).
  [[nodiscard]] static Result<Card> open(const CardOptions& options);
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  Card(Card&&) noexcept;
  Card& operator=(Card&&) noexcept;
  ~Card() override;

  /// The certificate of the card's owner. It is not verified: use it for a greeting only.
  [[nodiscard]] const pki::Certificate& certificate() const noexcept;
  /// Leaf first, then the sub-CA from the card or from CardOptions::intermediates; never the root. Sent in api/auth.
  [[nodiscard]] const pki::Chain& chain() const noexcept;
  /// The root found on the card, for people to compare. It is never trusted.
  [[nodiscard]] const std::optional<pki::Certificate>& root() const noexcept;
  [[nodiscard]] const p11::TokenInfo& token() const noexcept;  // as it was at open() or the last login
  [[nodiscard]] const std::string& module() const noexcept;    // path or name, as it was loaded

  /// False if the PIN is typed at the reader, or if the token requires no login. Then call login() without a PIN.
  [[nodiscard]] bool needs_pin() const noexcept;
  /// After a login: whether the key requires the PIN for each signature. A PIN given to login() is kept for one
  /// signature and then wiped. A reader with a keypad asks for the PIN again.
  [[nodiscard]] bool asks_each_time() const;
  /// Reads the state from the token again. Errors: card_removed, module_failed.
  [[nodiscard]] Result<PinState> pin_state() const;
  /// Errors: wrong_pin (`about` says whether few tries or one are left, if the token reports it), pin_locked,
  /// pin_last_try (and `last` is refuse: nothing was tried), pin_invalid, card_removed, cancelled, module_failed.
  [[nodiscard]] Result<> login(const crypto::Secret& pin, LastTry last = LastTry::refuse);
  /// For needs_pin() == false: the PIN is typed at the reader, or the token requires no PIN. Errors: as above.
  [[nodiscard]] Result<> login(LastTry last = LastTry::refuse);
  /// Errors: card_removed, module_failed.
  [[nodiscard]] Result<> logout();
  /// Checks that the card has stayed in its reader since open(). Errors: card_removed, module_failed.
  [[nodiscard]] Result<> present() const;

  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override;
  [[nodiscard]] crypto::SignatureScheme scheme() const noexcept override;
  /// Errors: not_authenticated (no login, or asks_each_time() requires another), card_removed, card_unsuitable, those
  /// of login(); module_failed, also if the card's signature does not verify with the card's own certificate.
  [[nodiscard]] Result<Bytes> sign(View message) const override;

 private:
  struct State;
  [[nodiscard]] static Result<Card> open_with(const CardOptions& options, const std::string& module);
  explicit Card(std::unique_ptr<State> state);
  [[nodiscard]] Result<> log_in(const crypto::Secret* pin, LastTry last);
  std::unique_ptr<State> state_;
};

}  // namespace usher::card
