// net/fetch: what a URL holds, from a server that nobody vouches for.  Spec: identity.md §11.3.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/address_range.h"

namespace usher::net {

struct FetchLimits {
  std::size_t bytes = 0;  // of the answer
  Milliseconds connect_deadline{5'000};
  Milliseconds deadline{30'000};  // of everything, redirects included
  long redirects = 3;
  std::vector<AddressRange> allowed{};  // addresses beside the public ones
  std::string proxy{};                  // empty: none; then the proxy connects, and looks at addresses
};

/// What is sent along.
struct FetchBody {
  View content;
  std::string type;  // application/…
};

/// GET, or POST where there is a body; http or https (the system's authorities), redirects only to these. Each address is judged when it is connected
/// to: whatever names lead to. Given up soon after `stop` says so. Thread-safe.
/// Errors: unreachable (also: a forbidden address); interrupted (too slow, cut short); too_long; malformed (not a
/// status 200, no HTTP, too many redirects); cancelled.
[[nodiscard]] Result<Bytes> fetch(const std::string& url, const FetchLimits& limits, const std::function<bool()>& stop,
                                  const FetchBody* body = nullptr);

/// As fetch(): in its place, for tests.
using Fetch = std::function<Result<Bytes>(const std::string& url, const FetchLimits& limits,
                                          const std::function<bool()>& stop, const FetchBody* body)>;

}  // namespace usher::net
