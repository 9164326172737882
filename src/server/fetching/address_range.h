// server/fetching/address_range: the addresses that usherd may connect to for a URL in a certificate.
// Spec: identity.md §11.3.
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::server {

/// IPv4 or IPv6 addresses with common leading bits.
class AddressRange {
 public:
  /// "10.0.0.0/8", "fd00::/8", "127.0.0.1". Errors: bad_config.
  [[nodiscard]] static Result<AddressRange> from_text(std::string_view text);
  /// `address`: 4 or 16 bytes. False if it is of the other family.
  [[nodiscard]] bool holds(View address) const noexcept;

 private:
  Bytes prefix_;
  unsigned bits_ = 0;
};

/// True if this is an address on the public Internet (IANA's registries of special-purpose addresses), or if `allowed`
/// contains it. IPv4 in an IPv6 address (::ffff:0:0/96) is judged as IPv4. Other address families are refused.
[[nodiscard]] bool may_connect_to(const sockaddr& address, socklen_t size, const std::vector<AddressRange>& allowed);

}  // namespace usher::server
