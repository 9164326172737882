// store/sqlite/open_file: prepares the file before the connections are opened.  Spec: licence.md §8.1.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "base/result.h"

namespace usher::store::sqlite {

/// Makes sure that the file exists (mode 0600), is a database or empty, and uses a write-ahead log.
/// Errors: fault_of_errno's; store (not a database); busy (another process, for longer than `patience`).
[[nodiscard]] Result<> prepare_file(const std::filesystem::path& file, Milliseconds patience);

}  // namespace usher::store::sqlite
