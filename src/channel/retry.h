// channel/retry: the cookies of Retry. A client that returns a cookie has shown that it receives answers at the address
// from which the first ClientHello came.
// Spec: channel.md §4.4.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "crypto/secret.h"
#include "wire/handshake.h"

namespace usher::channel {

/// Used by the server. Keeps no state per client. Thread-safe.
class RetryCookies {
 public:
  explicit RetryCookies(Random& random);

  /// Makes a Retry. `network`: any text that stands for the peer's address. `hello` may have a cookie that is too old.
  [[nodiscard]] wire::Retry retry(wire::ClientHello hello, std::string_view network, Time now) const;
  /// Whether this `hello`, without its cookie, was answered with a Retry of that cookie at most 20 s ago.
  [[nodiscard]] bool accepts(wire::ClientHello hello, std::string_view network, Time now) const;

 private:
  [[nodiscard]] Bytes cookie(const wire::ClientHello& bare, std::string_view network, std::int64_t step) const;
  crypto::Secret key_;
};

}  // namespace usher::channel
