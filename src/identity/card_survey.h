// identity/card_survey: what there is to be seen of readers and cards without a PIN, and in words what is wrong.
// Spec: identity.md §9.9.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "identity/certificate.h"
#include "identity/pkcs11.h"

namespace usher::identity {

struct CardOptions;

/// What is to be said of a module, a slot or a card: one row of card_remarks.def.
enum class CardRemark : std::uint8_t {
#define REMARK(name, code, sentence, advice) name,
#include "identity/card_remarks.def"
#undef REMARK
};
/// "pin-locked": stable, for programs.
[[nodiscard]] std::string_view code_of(CardRemark remark) noexcept;

struct Remark {
  CardRemark what;
  std::string about{};  // what it is about, in words
};
/// What it is, what it is about and what to do next.
[[nodiscard]] std::string explain(const Remark& remark);

struct SeenCertificate {
  std::string label{};
  Bytes id{};
  std::optional<Certificate> certificate{};  // nothing: it cannot be read
  bool keyless = false;                      // keys are to be seen, and none has its id
  bool meant = false;                        // one that a login may use, by the profile
};

struct SeenSlot {
  p11::SlotInfo slot{};
  std::optional<p11::TokenInfo> token{};  // nothing: empty, or see `trouble`
  std::vector<SeenCertificate> certificates{};
  std::vector<crypto::SignatureScheme> schemes{};  // with which the token signs
  bool bare_key = false;                           // a key is to be seen that has no certificate
  std::optional<Error> trouble{};                  // what stood in the way
  std::vector<Remark> remarks{};
  bool taken = false;  // by a login
};

struct SeenModule {
  std::string path{};
  std::string description{};  // in its own words
  std::vector<SeenSlot> slots{};
  std::optional<Error> trouble{};
  std::vector<Remark> remarks{};
};

struct CardSurvey {
  std::vector<SeenModule> modules{};  // in the order in which a login tries them
  /// Whether a login would find a card that can be used; if not, the error that it would end with.
  Result<> usable{};
};

/// Each module in a child process of its own. Asks for no PIN. `now` judges the certificates' validity.
/// Errors: bad_config.
[[nodiscard]] Result<CardSurvey> survey_cards(const CardOptions& options, Time now);

}  // namespace usher::identity
