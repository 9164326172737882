// usherd/file_shares: the file stream as the configuration has it.  Keys: docs/operating.md, "The file stream".
#pragma once

#include "config.h"
#include "net/file_stream.h"

namespace usher::usherd {

/// Shares, published media and rules, read from their texts. Errors: bad_config, naming the text.
[[nodiscard]] Result<std::vector<net::FileShare>> shares_of(const Config& config);
/// As far as they can be read, with everything that is wrong.
std::vector<net::FileShare> shares_of(const Config& config, Problems& problems);

[[nodiscard]] Result<net::FileStreamOptions> file_options_of(const Config& config);

}  // namespace usher::usherd
