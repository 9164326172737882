// usherd/home/file_permissions: checks of the permissions and the location of files.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace usher::usherd {

/// Refuses a file that group or others can read or write. Errors: not_permitted, not_found.
[[nodiscard]] Result<> check_private(const std::filesystem::path& file);
/// The same for a passphrase file, but the group may read it (service managers provide it that way).
[[nodiscard]] Result<> check_passphrase_file(const std::filesystem::path& file);
/// Whether `file` is below `directory`, with links resolved.
[[nodiscard]] bool is_below(const std::filesystem::path& file, const std::filesystem::path& directory);

}  // namespace usher::usherd
