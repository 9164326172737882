// server/fetching/fetch: fetches the content of a URL from a server that is not trusted.  Spec: identity.md §11.3.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/fetching/address_range.h"

namespace usher::server {

struct FetchLimits {
  std::size_t bytes = 0;  // of the answer
  Milliseconds connect_deadline{5'000};
  Milliseconds deadline{30'000};  // of the whole call, redirects included
  long redirects = 3;
  std::vector<AddressRange> allowed{};  // addresses that are allowed in addition to the public ones
  std::string proxy{};                  // empty: no proxy. A proxy connects, and must check addresses, itself
};

/// The body of a POST.
struct FetchBody {
  View content;
  std::string type;  // application/…
};

/// GET, or POST if there is a body. Only http and https, also in redirects; https uses the system's authorities. Each
/// address is checked at the moment of connecting, whatever name led to it. Stops soon after `stop` returns true.
/// Thread-safe.
/// Errors: unreachable (also: a forbidden address); interrupted (too slow, cut short); too_long; malformed (a status
/// other than 200, no HTTP, too many redirects); cancelled.
[[nodiscard]] Result<Bytes> fetch(const std::string& url, const FetchLimits& limits, const std::function<bool()>& stop,
                                  const FetchBody* body = nullptr);

/// The type of fetch(), so that tests can replace it.
using Fetch = std::function<Result<Bytes>(const std::string& url, const FetchLimits& limits,
                                          const std::function<bool()>& stop, const FetchBody* body)>;

}  // namespace usher::server
