#include "base/endpoint.h"

#include <charconv>

namespace usher {

std::optional<Endpoint> Endpoint::from_text(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const bool misplaced = host.contains('[') || host.contains(']') || host.contains(':') != brackets;
  if (host.empty() || misplaced) return std::nullopt;
  Endpoint out{.host = std::string(host)};
  const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (wrong != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  return out;
}

std::string Endpoint::text() const {
  return (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace usher
