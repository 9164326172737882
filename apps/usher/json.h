// usher/json: the --json output.  docs/reference/json.md.
#pragma once

#include <string>

#include "client/file_fetch.h"
#include "client/listener.h"
#include "identity/card_survey.h"

namespace usher::listening {

[[nodiscard]] std::string shelf_json(const client::Who& who, const client::Shelf& shelf);
[[nodiscard]] std::string licences_json(const client::Who& who, const client::Shelf& shelf);
[[nodiscard]] std::string licence_json(const std::vector<client::CatalogueItem>& catalogue,
                                       const client::HeldLicence& held);
/// `not_after`: when the login ends.
[[nodiscard]] std::string login_json(const client::Who& who, Time not_after);
[[nodiscard]] std::string report_json(const client::PlayReport& report);
[[nodiscard]] std::string fetched_json(const client::FetchedFile& file, double seconds);
[[nodiscard]] std::string listed_json(const client::ListedFile& file);
[[nodiscard]] std::string opened_json(const media::OpenedFile& file, std::string_view name);
[[nodiscard]] std::string survey_json(const identity::CardSurvey& survey);

}  // namespace usher::listening
