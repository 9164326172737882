// base/endpoint: a host and a port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace usher {

struct Endpoint {
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;
  /// Takes "host:80", "192.0.2.1:80", "[2001:db8::1]:80": brackets around a host with a colon, and only there. The host
  /// is not checked further.
  [[nodiscard]] static std::optional<Endpoint> from_text(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace usher
