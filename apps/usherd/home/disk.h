// usherd/home/disk: checks that the server can still write in its data directory.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace usher::usherd {

/// Whether `directory` has room for one more MiB. Leaves no file there. Errors: disk_full, not_permitted, not_found,
/// io.
[[nodiscard]] Result<> check_room(const std::filesystem::path& directory);

}  // namespace usher::usherd
