// usherd/config/file_shares: the file stream's configuration, parsed.  Keys: docs/reference/file-stream.md.
#pragma once

#include "server/files/file_stream.h"
#include "usherd/config/config.h"

namespace usher::usherd {

/// Parses shares, published media and rules. Errors: bad_config, with the text.
[[nodiscard]] Result<std::vector<server::FileShare>> shares_of(const Config& config);
/// Parses as much as possible, and collects all errors.
std::vector<server::FileShare> shares_of(const Config& config, Problems& problems);

[[nodiscard]] Result<server::FileStreamOptions> file_options_of(const Config& config);

}  // namespace usher::usherd
