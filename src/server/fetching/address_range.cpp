#include "server/fetching/address_range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <netinet/in.h>

#include "pki/certificate.h"

namespace usher::server {
namespace {

/// IPv4 addresses that are not on the public Internet: the registries of RFC 6890 and its successors.
constexpr std::array<std::string_view, 16> kSpecialV4{
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",   "127.0.0.0/8",     "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",  "192.0.2.0/24",    "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",  "224.0.0.0/3"};
/// In IPv6 only 2000::/3 is public, except for these: Teredo, ORCHID, benchmarks, documentation, 6to4.
constexpr std::string_view kPublicV6 = "2000::/3";
constexpr std::array<std::string_view, 4> kSpecialV6{"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

std::vector<AddressRange> ranges_of(std::span<const std::string_view> texts) {
  std::vector<AddressRange> ranges;
  for (const std::string_view text : texts) ranges.push_back(*AddressRange::from_text(text));
  return ranges;
}

bool any_holds(const std::vector<AddressRange>& ranges, View address) {
  return std::ranges::any_of(ranges, [&](const AddressRange& range) { return range.holds(address); });
}

bool is_public(View address) {
  static const auto kV4 = ranges_of(kSpecialV4);
  static const auto kV6 = ranges_of(kSpecialV6);
  static const auto kAll = ranges_of(std::span(&kPublicV6, 1));
  return address.size() == 4 ? !any_holds(kV4, address) : any_holds(kAll, address) && !any_holds(kV6, address);
}

/// 4 or 16 bytes; empty for another address family.
Bytes bytes_of(const sockaddr& address, socklen_t size) {
  if (address.sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    Bytes bytes(sizeof v4.sin_addr);
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return bytes;
  }
  if (address.sa_family != AF_INET6 || size < sizeof(sockaddr_in6)) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  const View all(v6.sin6_addr.s6_addr, sizeof v6.sin6_addr.s6_addr);
  return to_bytes(IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? all.last(4) : all);
}

}  // namespace

Result<AddressRange> AddressRange::from_text(std::string_view text) {
  const auto refuse = [&] {
    return fail(Fault::bad_config, "address range",
                "\"" + std::string(text) + "\" is not ADDRESS or ADDRESS/BITS, as 10.0.0.0/8");
  };
  const std::size_t slash = text.find('/');
  const auto address = pki::IpAddress::from_text(text.substr(0, slash));
  if (!address) return refuse();
  AddressRange range;
  range.prefix_ = address->bytes;
  range.bits_ = static_cast<unsigned>(8 * range.prefix_.size());
  if (slash == std::string_view::npos) return range;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > range.bits_) return refuse();
  range.bits_ = bits;
  return range;
}

bool AddressRange::holds(View address) const noexcept {
  if (address.size() != prefix_.size()) return false;
  for (unsigned bit = 0; bit < bits_; bit += 8) {
    const unsigned here = std::min(8U, bits_ - bit);
    const unsigned mask = 0xffU << (8 - here) & 0xffU;
    if (((address[bit / 8] ^ prefix_[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool may_connect_to(const sockaddr& address, socklen_t size, const std::vector<AddressRange>& allowed) {
  const Bytes bytes = bytes_of(address, size);
  return !bytes.empty() && (is_public(bytes) || any_holds(allowed, bytes));
}

}  // namespace usher::server
