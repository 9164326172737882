// client/text: formats catalogue, licences and errors for people. Filters everything that comes from a server before it
// reaches a terminal.
#pragma once

#include <iosfwd>
#include <string>

#include "base/display.h"
#include "client/listener.h"

namespace usher::client {

/// "Connected to … Authenticated: …"
[[nodiscard]] std::string greeting(const PersonInfo& who, std::size_t columns = kAnyWidth);
/// With the items' numbers, in the catalogue's order. No line is wider than `columns`: a title is cut, other text is
/// wrapped.
[[nodiscard]] std::string catalogue_text(const std::vector<CatalogueItem>& catalogue, std::size_t columns = kAnyWidth);
[[nodiscard]] std::string licences_text(const Overview& overview, std::size_t columns = kAnyWidth);
/// What is new since the last list, one line each; empty if there is nothing new.
[[nodiscard]] std::string news_text(const std::vector<std::string>& news);
/// A heading, then one sentence per difference, each with a newline; empty if there are no differences.
[[nodiscard]] std::string differences_text(const std::vector<Difference>& differences);
/// "Awakening, by Max McLaughlin"; the id if the medium is not in the catalogue or cannot be trusted.
[[nodiscard]] std::string title_of(const std::vector<CatalogueItem>& catalogue, const Id128& medium);
/// "counts from 0:30"; empty if the play never counts.
[[nodiscard]] std::string counts_text(const CountsFrom& counts);
/// The progress line: "0:12 / 3:48   3 plays left   counts from 0:30". If `columns` are too few, it is shorter, in
/// whole words: "0:12 / 3:48  paused".
[[nodiscard]] std::string line_text(const PlayPosition& now, std::uint32_t plays_left, std::size_t columns = kAnyWidth);
/// How a play ended, and whether it counts.
[[nodiscard]] std::string report_text(const PlayReport& report);
/// The acquired licence and its plays.
[[nodiscard]] std::string acquired_text(const HeldLicence& licence);
/// "There is no licence … Acquire a licence first. [no-licence]"
[[nodiscard]] std::string error_text(const Error& error);

/// The item with the number or the hexadecimal id in `name`. Errors: unknown_medium; the error of the item.
[[nodiscard]] Result<VerifiedMedium> chosen(const std::vector<CatalogueItem>& catalogue, std::string_view name);

}  // namespace usher::client
