// server/runtime/endpoint: an address and a port to listen on.
#pragma once

#include "base/endpoint.h"
#include "base/result.h"

namespace usher::server {

/// "0.0.0.0:8080", "[::1]:8080"; port 0: the system chooses one. Errors: bad_config, also for a name.
[[nodiscard]] Result<Endpoint> endpoint_from_text(std::string_view text);

}  // namespace usher::server
