// client/wallet/medium_numbers: the numbers that people type for media. A number stays with its medium: if a medium
// leaves the catalogue, its number stays unused; if the medium returns, it has the same number again.
//
// <wallet>/numbers: a line of 32 hexadecimal digits for each medium that was ever listed; the first line is number 1.
#pragma once

#include <filesystem>
#include <vector>

#include "client/engine/catalogue.h"

namespace usher::client {

/// Gives known media their old numbers, and new media the next numbers after all old ones. If the file cannot be
/// written (a full disk), the new numbers are valid for this catalogue only. A damaged file is replaced by a new one.
void number_catalogue(std::vector<CatalogueItem>& catalogue, const std::filesystem::path& wallet);

}  // namespace usher::client
