// apps/common/files: small files that a program reads whole, such as certificates and keys.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace usher::app {

/// Errors: not_found, not_permitted, io; too_long, more than `max` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t max);

}  // namespace usher::app
