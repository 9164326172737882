// identity/card: a person's card, from the listener's side.  Spec: identity.md §9.
//
// The module's code runs in a child process (card_agent.h): it can hang or crash without taking the program along.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "identity/certificate.h"
#include "identity/pkcs11.h"
#include "identity/profile.h"

namespace usher::identity {

using p11::PinState;

/// One of several certificates that can be meant (§9.3).
struct CardChoice {
  Certificate certificate;
  std::string label;  // of the certificate on the token
  std::string token_label;
  p11::SlotId slot = 0;
  /// What CardOptions::certificate takes: the first 16 digits of its fingerprint.
  [[nodiscard]] std::string name() const;
};
/// Which of them is used, by its place. Errors: the caller's; cancelled: no other module is tried.
using ChooseCertificate = std::function<Result<std::size_t>(const std::vector<CardChoice>& choices)>;

struct CardOptions {
  /// PKCS #11 modules, tried in order: paths, or names for the loader to find. Empty: the profile's, then
  /// kDefaultModules.
  std::vector<std::string> modules{};
  Profile profile{};
  std::string token_label{};             // empty: the one token that fits
  std::optional<p11::SlotId> slot{};     // nothing: any
  std::string certificate{};             // the beginning of its fingerprint, hexadecimal, 8 digits at least; empty: any
  std::optional<Time> now{};             // by which a certificate that is not valid is passed over; nothing: none is
  ChooseCertificate choose{};            // where several can be used; none: refused, and all are named
  Chain intermediates{};                 // sub-CAs for cards that do not hold theirs (§5.2)
  Milliseconds deadline{20'000};         // of each call
  Milliseconds login_deadline{120'000};  // where the PIN is typed at the reader
  bool silent = false;                   // for a program that leaves the terminal: the child does not keep stderr
  bool in_process = false;               // no child: for tests and for provisioning
  std::filesystem::path agent = "/proc/self/exe";  // its main() gives `card-agent` to run_card_agent
};

inline constexpr std::string_view kDefaultModules[] = {"libpteidpkcs11.so", "opensc-pkcs11.so"};
inline constexpr std::size_t kMaxCardModules = 16;

/// Whether one's last try may be spent (§9.4).
enum class LastTry : std::uint8_t { refuse, accept };

/// The card signs once per login: as a Signer it gives the signatures of §6.3. Thread-safe: one call after the other.
/// Destroying it logs out and ends the child.
class Card final : public crypto::Signer {
 public:
  /// Finds module, token and certificate; needs no PIN. May ask CardOptions::choose.
  /// Errors: module_missing, module_failed (also: hung, crashed), no_card, card_removed, card_unsuitable; choose's;
  /// bad_config (CardOptions::certificate is no fingerprint's beginning).
  [[nodiscard]] static Result<Card> open(const CardOptions& options);
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  Card(Card&&) noexcept;
  Card& operator=(Card&&) noexcept;
  ~Card() override;

  /// What the card's owner is known by, unverified: for greeting only.
  [[nodiscard]] const Certificate& certificate() const noexcept;
  /// Leaf first, then the sub-CA from the card or from CardOptions::intermediates; never the root. What api/auth sends.
  [[nodiscard]] const Chain& chain() const noexcept;
  /// The root as found on the card, for people to compare: it is never trusted.
  [[nodiscard]] const std::optional<Certificate>& root() const noexcept;
  [[nodiscard]] const p11::TokenInfo& token() const noexcept;  // as it was at open() or the last login
  [[nodiscard]] const std::string& module() const noexcept;    // as loaded

  /// False where the reader has its own keys, or where no login is asked for: then login() takes no PIN.
  [[nodiscard]] bool needs_pin() const noexcept;
  /// After a login: whether the key asks for the PIN for each signature. One that was typed here serves for one
  /// signature, without being asked for again, and is wiped; the reader with keys of its own asks.
  [[nodiscard]] bool asks_each_time() const;
  /// Asks the token again. Errors: card_removed, module_failed.
  [[nodiscard]] Result<PinState> pin_state() const;
  /// Errors: wrong_pin (`about` says how many tries there are, as far as the token tells), pin_locked, pin_last_try
  /// (and `last` is refuse: nothing was tried), pin_invalid, card_removed, cancelled, module_failed.
  [[nodiscard]] Result<> login(const crypto::Secret& pin, LastTry last = LastTry::refuse);
  /// For needs_pin() == false: somebody types at the reader, or no PIN is asked for. Errors: as above.
  [[nodiscard]] Result<> login(LastTry last = LastTry::refuse);
  /// Errors: card_removed, module_failed.
  [[nodiscard]] Result<> logout();
  /// Whether the card has been in its reader since open(). Errors: card_removed, module_failed.
  [[nodiscard]] Result<> present() const;

  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override;
  [[nodiscard]] crypto::SignatureScheme scheme() const noexcept override;
  /// Errors: not_authenticated (no login, or another one is needed: asks_each_time), card_removed, card_unsuitable, those
  /// of login(); module_failed, also when the card's answer does not verify with its own certificate.
  [[nodiscard]] Result<Bytes> sign(View message) const override;

 private:
  struct State;
  [[nodiscard]] static Result<Card> open_with(const CardOptions& options, const std::string& module);
  explicit Card(std::unique_ptr<State> state);
  [[nodiscard]] Result<> log_in(const crypto::Secret* pin, LastTry last);
  std::unique_ptr<State> state_;
};

}  // namespace usher::identity
