#include "server/http/host_names.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/encoding.h"

namespace usher::server {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_host_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}
bool is_port(std::string_view text) { return text.size() <= 5 && std::ranges::all_of(text, is_digit); }

/// The canonical text of an IPv6 address, without a zone; empty if `text` is not an IPv6 address.
std::string canonical_ipv6(const std::string& text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return {};
  return ::inet_ntop(AF_INET6, &address, out.data(), out.size());
}

bool matches(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return pattern == host;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

}  // namespace

std::string host_of(std::string_view field) {
  if (field.starts_with('[')) {
    const std::size_t end = field.find(']');
    if (end == std::string_view::npos || end == 1) return {};
    const std::string_view after = field.substr(end + 1);
    if (!after.empty() && (after.front() != ':' || !is_port(after.substr(1)))) return {};
    return canonical_ipv6(std::string(field.substr(1, end - 1)));
  }
  const std::size_t colon = field.find(':');
  std::string_view host = field.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(field.substr(colon + 1))) return {};
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.ends_with('.') || !std::ranges::all_of(host, is_host_char)) return {};
  return lower_ascii(host);
}

void HostNames::set(std::vector<std::string> names) {
  for (std::string& name : names) name = name.contains(':') ? canonical_ipv6(name) : lower_ascii(name);
  auto fresh = std::make_shared<const std::vector<std::string>>(std::move(names));
  const std::scoped_lock lock(mutex_);
  names_ = std::move(fresh);
}

bool HostNames::contains(std::string_view host) const {
  const std::string wanted = host_of(host);
  if (wanted.empty()) return false;
  std::shared_ptr<const std::vector<std::string>> names;
  {
    const std::scoped_lock lock(mutex_);
    names = names_;
  }
  return std::ranges::any_of(*names, [&](const std::string& name) { return matches(name, wanted); });
}

std::vector<std::string> HostNames::list() const {
  const std::scoped_lock lock(mutex_);
  return *names_;
}

}  // namespace usher::server
