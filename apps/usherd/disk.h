// usherd/disk: whether the server can still write where its store is.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace usher::usherd {

/// Whether a mebibyte more has room in `directory`. Leaves nothing there. Errors: disk_full, not_permitted, not_found, io.
[[nodiscard]] Result<> check_room(const std::filesystem::path& directory);

}  // namespace usher::usherd
