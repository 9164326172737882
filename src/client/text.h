// client/text: catalogue and licences as people read them. Nothing that a server sent reaches a terminal unfiltered.
#pragma once

#include <iosfwd>
#include <string>

#include "base/display.h"
#include "client/listener.h"

namespace usher::client {

/// "Connected to … Authenticated: …"
[[nodiscard]] std::string greeting(const Who& who, std::size_t columns = kAnyWidth);
/// Numbered from 1, in the catalogue's order. No line is wider than `columns`: a title is cut, the rest goes on below.
[[nodiscard]] std::string catalogue_text(const std::vector<CatalogueItem>& catalogue, std::size_t columns = kAnyWidth);
[[nodiscard]] std::string licences_text(const Shelf& shelf, std::size_t columns = kAnyWidth);
/// One sentence a difference, each with a newline; empty if there is none.
/// What came since the last list, a line each; empty: nothing.
[[nodiscard]] std::string news_text(const std::vector<std::string>& news);
[[nodiscard]] std::string differences_text(const std::vector<Difference>& differences);
/// "Awakening, by Max McLaughlin"; the id where the medium is not in the catalogue or cannot be trusted.
[[nodiscard]] std::string title_of(const std::vector<CatalogueItem>& catalogue, const Id128& medium);
/// "counts from 0:30"; empty where there is nothing to say.
[[nodiscard]] std::string counts_text(const CountsFrom& counts);
/// The line while something plays: "0:12 / 3:48   3 plays left   counts from 0:30". Where `columns` are too few it says
/// less, in whole words: "0:12 / 3:48  paused".
[[nodiscard]] std::string line_text(const PlayPosition& now, std::uint32_t plays_left, std::size_t columns = kAnyWidth);
/// How a play ended, and what that did.
[[nodiscard]] std::string report_text(const PlayReport& report);
/// What a licence was acquired for.
[[nodiscard]] std::string acquired_text(const HeldLicence& licence);
/// "There is no licence … Acquire a licence first. [no-licence]"
[[nodiscard]] std::string error_text(const Error& error);

/// The item that "3" (its number) or an id in hexadecimal names. Errors: unknown_medium; what is wrong with it.
[[nodiscard]] Result<Medium> chosen(const std::vector<CatalogueItem>& catalogue, std::string_view name);

}  // namespace usher::client
