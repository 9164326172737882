// client/engine/dial: opens a TCP connection to a host, at its first address that answers, IPv4 or IPv6.
#pragma once

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/endpoint.h"
#include "client/engine/transport.h"

namespace usher::client {

/// Takes "host:port", "192.0.2.1:port", "[2001:db8::1]:port". Errors: bad_usage, port 0 too.
[[nodiscard]] Result<Endpoint> endpoint_from_text(std::string_view text);

/// A deadline on the steady clock, together with a stop condition.
class Patience {
 public:
  /// `stop` is borrowed.
  Patience(Milliseconds time, const Stop& stop) : end_(std::chrono::steady_clock::now() + time), stop_(&stop) {}
  /// Waits until the descriptor has one of poll's `events`, or an error that the next call on it will return.
  /// False: the deadline has passed. Errors: cancelled; io.
  [[nodiscard]] Result<bool> wait(int descriptor, short events) const;

 private:
  std::chrono::steady_clock::time_point end_;
  const Stop* stop_;
};

/// Tries all addresses in the resolver's order, each for at most `deadline`. The socket does not block.
/// Errors: unreachable, with the failure of the last address; cancelled.
[[nodiscard]] Result<Descriptor> dial(const Endpoint& server, Milliseconds deadline, const Stop& stop);

}  // namespace usher::client
