// channel/retry: the cookies of Retry: who brings one back has answered once, from where the first ClientHello came.
// Spec: channel.md §4.4.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "crypto/secret.h"
#include "wire/handshake.h"

namespace usher::channel {

/// A server's. Keeps nothing of any client; thread-safe.
class RetryCookies {
 public:
  explicit RetryCookies(Random& random);

  /// `network`: whatever stands for the peer's address. `hello` may have a cookie that is
  /// too old.
  [[nodiscard]] wire::Retry retry(wire::ClientHello hello, std::string_view network, Time now) const;
  /// Whether `hello` is one that was answered with a Retry, at most 20 s ago, with this cookie and nothing else added.
  [[nodiscard]] bool accepts(wire::ClientHello hello, std::string_view network, Time now) const;

 private:
  [[nodiscard]] Bytes cookie(const wire::ClientHello& bare, std::string_view network, std::int64_t step) const;
  crypto::Secret key_;
};

}  // namespace usher::channel
