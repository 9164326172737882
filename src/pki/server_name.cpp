#include <algorithm>

#include "base/encoding.h"
#include "pki/trust_store.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

constexpr std::size_t kMaxDnsName = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxDnsName) return false;
  std::string_view last;
  while (true) {
    const std::size_t dot = name.find('.');
    last = name.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  // "1.2.3" and "256.1.1.1" are not names: some resolvers would read an address (RFC 3986, WHATWG URL).
  return !std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

/// Does not use OpenSSL's X509_check_host: there are few names, and the rule is one line of the spec (§3.4).
bool matches(std::string pattern, std::string_view name) {
  std::ranges::transform(pattern, pattern.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (!pattern.starts_with("*.")) return pattern == name;
  const std::string_view rest = std::string_view(pattern).substr(1);  // ".example.org"
  const std::size_t dot = name.find('.');
  // A wildcard directly under a top-level domain would match the whole domain: it is refused.
  return dot != std::string_view::npos && rest.find('.', 1) != std::string_view::npos && name.substr(dot) == rest;
}

}  // namespace

Result<ServerName> ServerName::from_host(std::string_view host) {
  if (auto address = IpAddress::from_text(host)) return ServerName(*std::move(address));
  std::string name(host);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.ends_with('.')) name.pop_back();
  if (!is_dns_name(name))
    return fail(Fault::bad_usage, "server name", "not a host name or an address",
                "Give the name that the server's certificate has.");
  return ServerName(std::move(name));
}

ServerName ServerName::pinned(const Hash256& key_fingerprint) { return ServerName(key_fingerprint); }
ServerName ServerName::own() { return ServerName(Own{}); }

Result<> ServerName::check(const Certificate& certificate) const {
  bool matched = std::holds_alternative<Own>(value_);
  if (const auto* key = std::get_if<Hash256>(&value_)) matched = certificate.key_fingerprint() == *key;
  if (const auto* address = std::get_if<IpAddress>(&value_)) {
    const auto addresses = certificate.ip_addresses();
    matched = std::ranges::find(addresses, *address) != addresses.end();
  }
  if (const auto* name = std::get_if<std::string>(&value_)) {
    matched = std::ranges::any_of(certificate.dns_names(),
                                  [&](const std::string& pattern) { return matches(pattern, *name); });
  }
  if (!matched) return fail(Fault::wrong_name, "server name", text());
  return {};
}

std::string ServerName::text() const {
  if (const auto* key = std::get_if<Hash256>(&value_)) return "key " + to_hex(*key);
  if (const auto* address = std::get_if<IpAddress>(&value_)) return address->text();
  if (const auto* name = std::get_if<std::string>(&value_)) return *name;
  return "this server";
}

}  // namespace usher::pki
