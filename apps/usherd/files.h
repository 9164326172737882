// usherd/files: small files of the home: written whole, with the permissions that they need.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace usher::usherd {

/// Under a temporary name, then renamed. Errors: not_permitted, io, disk_full, already_exists (unless `replace`).
[[nodiscard]] Result<> write_file(const std::filesystem::path& file, std::string_view content, unsigned mode,
                                  bool replace = false);
/// Mode 0700. Existing ones are left as they are. Errors: not_permitted, io.
[[nodiscard]] Result<> make_directory(const std::filesystem::path& directory);

/// Refuses a file that group or others can read or write. Errors: not_permitted, not_found.
[[nodiscard]] Result<> check_private(const std::filesystem::path& file);
/// The same for a passphrase file; the group may read it (service managers hand it over so).
[[nodiscard]] Result<> check_passphrase_file(const std::filesystem::path& file);
/// Whether `file` lies below `directory`, links resolved.
[[nodiscard]] bool is_below(const std::filesystem::path& file, const std::filesystem::path& directory);

}  // namespace usher::usherd
