// client/dial: a TCP connection to a host, by whichever of its addresses answers, IPv4 or IPv6.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/descriptor.h"
#include "client/transport.h"

namespace usher::client {

/// Host and port, as somebody writes them.
struct Endpoint {
  std::string host;  // a name or an address; IPv6 without brackets
  std::string port;  // decimal
  /// Takes "host:port", "192.0.2.1:port", "[2001:db8::1]:port". Errors: bad_usage.
  [[nodiscard]] static Result<Endpoint> from_text(std::string_view text);
  [[nodiscard]] std::string text() const;
};

/// How long something may wait, by a clock that nobody sets, and whether it was given up.
class Patience {
 public:
  /// `stop` is borrowed.
  Patience(Milliseconds time, const Stop& stop) : end_(std::chrono::steady_clock::now() + time), stop_(&stop) {}
  /// Until the descriptor has one of poll's `events`, or an error that the next call on it will tell.
  /// False: the time is over. Errors: cancelled; io.
  [[nodiscard]] Result<bool> wait(int descriptor, short events) const;

 private:
  std::chrono::steady_clock::time_point end_;
  const Stop* stop_;
};

/// Tries all addresses in the resolver's order, each for at most `deadline`. The socket does not block.
/// Errors: unreachable, with what the last one said; cancelled.
[[nodiscard]] Result<Descriptor> dial(const Endpoint& server, Milliseconds deadline, const Stop& stop);

}  // namespace usher::client
