// card/card_survey: lists readers and cards without a PIN, and describes what is wrong with them.
// Spec: identity.md §9.9.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "card/pkcs11.h"
#include "pki/certificate.h"

namespace usher::card {

struct CardOptions;

/// A remark about a module, a slot or a card: one row of card_remarks.def.
enum class CardRemark : std::uint8_t {
#define REMARK(name, code, sentence, advice) name,
#include "card/card_remarks.def"
#undef REMARK
};
/// For example "pin-locked": stable, for programs.
[[nodiscard]] std::string_view code_of(CardRemark remark) noexcept;

struct Remark {
  CardRemark what;
  std::string about{};  // what it is about, in words
};
/// A text for people: what it is, what it is about and what to do next.
[[nodiscard]] std::string explain(const Remark& remark);

struct SeenCertificate {
  std::string label{};
  Bytes id{};
  std::optional<pki::Certificate> certificate{};  // not set: it cannot be read
  bool keyless = false;                           // the token shows keys, but no key with this id
  bool meant = false;                             // a login may use it, by the profile
};

struct SeenSlot {
  p11::SlotInfo slot{};
  std::optional<p11::TokenInfo> token{};  // not set: the slot is empty, or see `trouble`
  std::vector<SeenCertificate> certificates{};
  std::vector<crypto::SignatureScheme> schemes{};  // that the token can sign with
  bool bare_key = false;                           // the token shows a key that has no certificate
  std::optional<Error> trouble{};                  // why the token could not be read
  std::vector<Remark> remarks{};
  bool taken = false;  // a login would use it
};

struct SeenModule {
  std::string path{};
  std::string description{};  // as the module describes itself
  std::vector<SeenSlot> slots{};
  std::optional<Error> trouble{};
  std::vector<Remark> remarks{};
};

struct CardSurvey {
  std::vector<SeenModule> modules{};  // in the order in which a login tries them
  /// Whether a login would find a usable card; if not, the error with which it would end.
  Result<> usable{};
};

/// Runs each module in its own child process. Needs no PIN. Judges the certificates' validity at `now`.
/// Errors: bad_config.
[[nodiscard]] Result<CardSurvey> survey_cards(const CardOptions& options, Time now);

}  // namespace usher::card
