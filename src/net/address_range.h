// net/address_range: which addresses usherd may be sent to by what a certificate says.  Spec: identity.md §11.3.
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::net {

/// IPv4 or IPv6 addresses with common leading bits.
class AddressRange {
 public:
  /// "10.0.0.0/8", "fd00::/8", "127.0.0.1". Errors: bad_config.
  [[nodiscard]] static Result<AddressRange> from_text(std::string_view text);
  /// `address` is 4 or 16 bytes; of another family: no.
  [[nodiscard]] bool holds(View address) const noexcept;

 private:
  Bytes prefix_;
  unsigned bits_ = 0;
};

/// Whether this is an address on the public Internet (IANA's registries of special-purpose addresses), or `allowed`
/// holds it. IPv4 in an IPv6 address (::ffff:0:0/96) is judged as IPv4; what is neither IPv4 nor IPv6 is refused.
[[nodiscard]] bool may_connect_to(const sockaddr& address, socklen_t size, const std::vector<AddressRange>& allowed);

}  // namespace usher::net
