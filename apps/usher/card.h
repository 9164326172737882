// usher/card: readers, cards and certificates, and what is wrong with them.  Spec: identity.md §9.9.
#pragma once

#include "identity/card_survey.h"
#include "verbs.h"

namespace usher::listening {

/// Several lines, at most `columns` wide, for people. Names a person, never their civil number.
[[nodiscard]] std::string survey_text(const identity::CardSurvey& survey, std::size_t columns);

/// Needs no server and asks for no PIN. Errors: bad_config; where no card can be used, what a login would end with.
[[nodiscard]] Result<> do_card(Context& context);

}  // namespace usher::listening
