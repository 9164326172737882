// client/numbers: the numbers by which people name media. A number stays with its medium: one that is taken out of the
// catalogue leaves a gap, and comes back under its old number.
//
// <wallet>/numbers: a line of 32 hexadecimal digits for each medium that was ever listed; the first line is number 1.
#pragma once

#include <filesystem>
#include <vector>

#include "client/catalogue.h"

namespace usher::client {

/// Numbers the catalogue as before, and what is new after all that was ever there. Where the numbers cannot be kept (a
/// full disk), they hold for this catalogue alone. A file that is damaged is begun anew.
void number_catalogue(std::vector<CatalogueItem>& catalogue, const std::filesystem::path& wallet);

}  // namespace usher::client
