// server/fetching/fetched_file: reads and writes the small files that keep fetched data.  Spec: identity.md §11.4.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::server {

/// Errors: those of media::open_file; too_long, truncated.
[[nodiscard]] Result<Bytes> read_fetched(const std::filesystem::path& file, std::size_t max_bytes);
/// Creates the file's directory if it does not exist. Replaces the file atomically.
/// Errors: disk_full, not_permitted, io.
[[nodiscard]] Result<> write_fetched(const std::filesystem::path& file, View content);

}  // namespace usher::server
