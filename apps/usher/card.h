// usher/card: shows readers, cards and certificates, and their problems.  Spec: identity.md §9.9.
#pragma once

#include "card/card_survey.h"
#include "verbs.h"

namespace usher::cli {

/// Several lines for people, at most `columns` wide. Shows a person's name, but never the civil number.
[[nodiscard]] std::string survey_text(const card::CardSurvey& survey, std::size_t columns);

/// Needs no server and asks for no PIN. Errors: bad_config; if no card can be used, the error that a login would
/// return.
[[nodiscard]] Result<> do_card(Context& context);

}  // namespace usher::cli
