// server/runtime/endpoint: an address and a port to listen on.
#pragma once

#include <string>

#include "base/result.h"

namespace usher::server {

/// An address and a port to listen on. Port 0: the system chooses one.
struct Endpoint {
  std::string address;  // IPv4 or IPv6, without brackets
  std::uint16_t port = 0;
  /// "0.0.0.0:8080", "[::1]:8080". Errors: bad_config.
  [[nodiscard]] static Result<Endpoint> from_text(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace usher::server
