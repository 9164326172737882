// card/card_service: how Card uses a PKCS #11 module, in this process or in a child process.  Spec: identity.md §9.
#pragma once

#include <memory>

#include "card/card.h"
#include "card/card_survey.h"

namespace usher::card {

inline constexpr std::size_t kMaxCardAuthorities = 8;
inline constexpr std::size_t kMaxCardChoices = 12;
inline constexpr std::size_t kMaxSignedByCard = 4096;  // bytes of a message
inline constexpr std::size_t kMaxPin = 255;            // bytes
inline constexpr std::size_t kMaxSeen = 128 << 10;     // bytes of certificates in a survey

/// Selects a card and its certificate.
struct CardQuery {
  std::string module{};
  std::string token_label{};
  std::optional<p11::SlotId> slot{};
  person::CardLabels labels{};
  std::string certificate{};  // the first digits of its fingerprint, in lower case hexadecimal; empty: any
  std::optional<Time> now{};  // not set: validity is not checked
};

/// A certificate to choose from, as the token holds it, unchecked.
struct OfferedCertificate {
  p11::SlotId slot = 0;
  std::string token_label{};
  std::string label{};
  Bytes certificate{};  // DER
};

struct OpenedCard {
  std::string module{};
  p11::TokenInfo token{};
  crypto::SignatureScheme scheme = crypto::SignatureScheme::ecdsa_p256_sha256;  // of its signatures
  Bytes certificate{};                                                          // DER, unchecked
  std::vector<Bytes> authorities{};  // DER, in any order, at most kMaxCardAuthorities
  /// Not empty: 2 to kMaxCardChoices certificates fit, and no card was opened. Then all else but `module` is empty.
  std::vector<OfferedCertificate> choices{};
};

/// One card. Call open() first. One thread at a time. Errors: as Card's functions.
class CardService {
 public:
  CardService() = default;
  CardService(const CardService&) = delete;
  CardService& operator=(const CardService&) = delete;
  virtual ~CardService() = default;

  [[nodiscard]] virtual Result<OpenedCard> open(const CardQuery& query) = 0;
  /// Lists what a module shows of slots and tokens. Call it before any open(). Errors: module_missing, module_failed.
  [[nodiscard]] virtual Result<SeenModule> survey(const std::string& module) = 0;
  [[nodiscard]] virtual Result<p11::TokenInfo> token() = 0;
  /// `pin` is null: the PIN is typed at the reader. Returns whether the key requires the PIN for each signature. If so,
  /// the PIN is kept for the next sign() and wiped there; each further sign() needs another login.
  [[nodiscard]] virtual Result<p11::KeyUse> login(const crypto::Secret* pin) = 0;
  [[nodiscard]] virtual Result<p11::CardSignature> sign(View message) = 0;
  [[nodiscard]] virtual Result<> logout() = 0;
  /// Checks that the card has stayed in its reader since open(). Errors: card_removed, module_failed.
  [[nodiscard]] virtual Result<> present() = 0;
};

/// The modules to try, in order. Errors: bad_config (too many, or too long).
[[nodiscard]] Result<std::vector<std::string>> modules_of(const CardOptions& options);
/// In this process or in a child process, as the options require. Errors: module_failed.
[[nodiscard]] Result<std::unique_ptr<CardService>> card_service(const CardOptions& options);
/// Picks the error of the module that came farthest (§9.1). `errors` is in the order of the modules.
[[nodiscard]] Error farthest(std::vector<Error> errors, const std::vector<std::string>& modules);
/// Why this certificate cannot be used to sign, in a few words; empty if no reason is known here. `keyless`: the token
/// shows keys, but not the certificate's.
[[nodiscard]] std::string unusable(const pki::Certificate* parsed, std::span<const crypto::SignatureScheme> schemes,
                                   bool keyless, const std::optional<Time>& now);
/// Whether a certificate can be the person's, by the profile (§9.3). `parsed`: null if it cannot be read.
[[nodiscard]] bool can_be_meant(const person::CardLabels& labels, std::string_view label,
                                const pki::Certificate* parsed) noexcept;
/// Compares names, key identifiers and key usage. Distinguishes authorities that have one name but different keys.
[[nodiscard]] bool issued_by(const pki::Certificate& certificate, const pki::Certificate& authority);
/// Leaf first, then upwards by name as far as `authorities` lead, without a root. The server judges the result.
[[nodiscard]] pki::Chain chain_of(const pki::Certificate& leaf, const pki::Chain& authorities);

/// CardService::survey in this process, without a deadline.
[[nodiscard]] Result<SeenModule> survey_module(const std::string& path);

/// A CardService in this process, without deadlines.
[[nodiscard]] std::unique_ptr<CardService> local_card();

struct AgentOptions {
  std::filesystem::path program{};
  Milliseconds deadline{};
  Milliseconds login_deadline{};  // for a login without a PIN: it is typed at the reader
  bool silent = false;            // what a module writes to stderr is lost, and stderr is not kept open
};
/// A CardService in a child process. Errors: module_failed, if the child cannot be started.
[[nodiscard]] Result<std::unique_ptr<CardService>> remote_card(const AgentOptions& options);

}  // namespace usher::card
