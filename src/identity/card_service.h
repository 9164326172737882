// identity/card_service: what Card asks of a PKCS #11 module, here or in the child process.  Spec: identity.md §9.
#pragma once

#include <memory>

#include "identity/card.h"

namespace usher::identity {

inline constexpr std::size_t kMaxCardModules = 16;
inline constexpr std::size_t kMaxCardAuthorities = 8;
inline constexpr std::size_t kMaxSignedByCard = 4096;  // bytes of a message
inline constexpr std::size_t kMaxPin = 255;            // bytes

/// Which card is meant.
struct CardQuery {
  std::vector<std::string> modules{};  // tried in order, 1..kMaxCardModules
  std::string token_label{};
  std::optional<p11::SlotId> slot{};
  CardLabels labels{};
};

struct OpenedCard {
  std::string module{};
  p11::TokenInfo token{};
  Bytes certificate{};               // DER, unchecked
  std::vector<Bytes> authorities{};  // DER, in any order, at most kMaxCardAuthorities
};

/// One card; `open` comes first. One thread at a time. Errors: as Card's functions.
class CardService {
 public:
  CardService() = default;
  CardService(const CardService&) = delete;
  CardService& operator=(const CardService&) = delete;
  virtual ~CardService() = default;

  [[nodiscard]] virtual Result<OpenedCard> open(const CardQuery& query) = 0;
  [[nodiscard]] virtual Result<p11::TokenInfo> token() = 0;
  [[nodiscard]] virtual Result<> login(const crypto::Secret* pin) = 0;
  [[nodiscard]] virtual Result<p11::CardSignature> sign(View message) = 0;
};

/// In this process, without deadlines.
[[nodiscard]] std::unique_ptr<CardService> local_card();

struct AgentOptions {
  std::filesystem::path program{};
  Milliseconds deadline{};
  Milliseconds login_deadline{};  // without a PIN: somebody types at the reader
};
/// In a child process. Errors: module_failed, when it cannot be started.
[[nodiscard]] Result<std::unique_ptr<CardService>> remote_card(const AgentOptions& options);

}  // namespace usher::identity
