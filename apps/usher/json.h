// usher/json: the --json output.  docs/reference/json.md.
#pragma once

#include <string>

#include "card/card_survey.h"
#include "client/files/file_fetch.h"
#include "client/listener.h"

namespace usher::cli {

[[nodiscard]] std::string overview_json(const client::PersonInfo& who, const client::Overview& overview);
[[nodiscard]] std::string licences_json(const client::PersonInfo& who, const client::Overview& overview);
[[nodiscard]] std::string licence_json(const std::vector<client::CatalogueItem>& catalogue,
                                       const client::HeldLicence& held);
/// `not_after`: when the login ends.
[[nodiscard]] std::string login_json(const client::PersonInfo& who, Time not_after);
[[nodiscard]] std::string report_json(const client::PlayReport& report);
[[nodiscard]] std::string fetched_json(const client::FetchedFile& file, double seconds);
[[nodiscard]] std::string listed_json(const client::ListedFile& file);
[[nodiscard]] std::string opened_json(const media::OpenedFile& file, std::string_view name);
[[nodiscard]] std::string survey_json(const card::CardSurvey& survey);

}  // namespace usher::cli
