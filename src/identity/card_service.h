// identity/card_service: what Card asks of a PKCS #11 module, here or in the child process.  Spec: identity.md §9.
#pragma once

#include <memory>

#include "identity/card.h"
#include "identity/card_survey.h"

namespace usher::identity {

inline constexpr std::size_t kMaxCardAuthorities = 8;
inline constexpr std::size_t kMaxCardChoices = 12;
inline constexpr std::size_t kMaxSignedByCard = 4096;  // bytes of a message
inline constexpr std::size_t kMaxPin = 255;            // bytes
inline constexpr std::size_t kMaxSeen = 128 << 10;     // bytes of certificates in a survey

/// Which card is meant.
struct CardQuery {
  std::string module{};
  std::string token_label{};
  std::optional<p11::SlotId> slot{};
  CardLabels labels{};
  std::string certificate{};  // the beginning of its fingerprint, in lower case hexadecimal; empty: any
  std::optional<Time> now{};  // nothing: validity is not looked at
};

/// One of several certificates that can be meant: its own, unchecked.
struct OfferedCertificate {
  p11::SlotId slot = 0;
  std::string token_label{};
  std::string label{};
  Bytes certificate{};  // DER
};

struct OpenedCard {
  std::string module{};
  p11::TokenInfo token{};
  crypto::SignatureScheme scheme = crypto::SignatureScheme::ecdsa_p256_sha256;  // with which it will sign
  Bytes certificate{};                                                          // DER, unchecked
  std::vector<Bytes> authorities{};  // DER, in any order, at most kMaxCardAuthorities
  /// Not empty: several can be meant, 2 to kMaxCardChoices, and none was opened; all else but the module is empty.
  std::vector<OfferedCertificate> choices{};
};

/// One card; `open` comes first. One thread at a time. Errors: as Card's functions.
class CardService {
 public:
  CardService() = default;
  CardService(const CardService&) = delete;
  CardService& operator=(const CardService&) = delete;
  virtual ~CardService() = default;

  [[nodiscard]] virtual Result<OpenedCard> open(const CardQuery& query) = 0;
  /// What is to be seen through a module, before any open(). Errors: module_missing, module_failed.
  [[nodiscard]] virtual Result<SeenModule> survey(const std::string& module) = 0;
  [[nodiscard]] virtual Result<p11::TokenInfo> token() = 0;
  /// Without a PIN: it is entered at the reader. Tells whether the key asks for each signature again: then the PIN is
  /// kept for the next sign(), and wiped with it; further ones need another login.
  [[nodiscard]] virtual Result<p11::KeyUse> login(const crypto::Secret* pin) = 0;
  [[nodiscard]] virtual Result<p11::CardSignature> sign(View message) = 0;
  [[nodiscard]] virtual Result<> logout() = 0;
  /// Whether the card has been in its reader ever since. Errors: card_removed, module_failed.
  [[nodiscard]] virtual Result<> present() = 0;
};

/// The modules to be tried, in order. Errors: bad_config (too many, or too long).
[[nodiscard]] Result<std::vector<std::string>> modules_of(const CardOptions& options);
/// Here or in a child process, as the options say. Errors: module_failed.
[[nodiscard]] Result<std::unique_ptr<CardService>> card_service(const CardOptions& options);
/// Of the errors of the modules, in their order, the one that came farthest (§9.1).
[[nodiscard]] Error farthest(std::vector<Error> errors, const std::vector<std::string>& modules);
/// Why this one cannot sign, in a few words; empty: nothing that is seen from here. `keyless`: keys are to be seen, and
/// none is its.
[[nodiscard]] std::string unusable(const Certificate* parsed, std::span<const crypto::SignatureScheme> schemes,
                                   bool keyless, const std::optional<Time>& now);
/// Whether a certificate can be the person's, by the profile (§9.3). `parsed`: nothing if it cannot be read.
[[nodiscard]] bool can_be_meant(const CardLabels& labels, std::string_view label, const Certificate* parsed) noexcept;
/// By names, key identifiers and key usage; authorities of one name but different keys are told apart.
[[nodiscard]] bool issued_by(const Certificate& certificate, const Certificate& authority);
/// Leaf first, then upwards by name as far as it goes; without a root. Whether it is right is the server's to judge.
[[nodiscard]] Chain chain_of(const Certificate& leaf, const Chain& authorities);

/// CardService::survey in this process, without a deadline.
[[nodiscard]] Result<SeenModule> survey_module(const std::string& path);

/// In this process, without deadlines.
[[nodiscard]] std::unique_ptr<CardService> local_card();

struct AgentOptions {
  std::filesystem::path program{};
  Milliseconds deadline{};
  Milliseconds login_deadline{};  // without a PIN: somebody types at the reader
  bool silent = false;            // what a module says on stderr is lost, and stderr is not kept open
};
/// In a child process. Errors: module_failed, when it cannot be started.
[[nodiscard]] Result<std::unique_ptr<CardService>> remote_card(const AgentOptions& options);

}  // namespace usher::identity
