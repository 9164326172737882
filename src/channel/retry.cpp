#include "channel/retry.h"

#include <algorithm>

#include "crypto/mac.h"
#include "wire/codec.h"

namespace usher::channel {
namespace {

constexpr std::int64_t kStep = 10;  // seconds
constexpr std::size_t kKey = 32;    // bytes

std::int64_t step_of(Time now) { return unix_seconds(now) / kStep; }

/// Removes the cookie from `hello` and returns it. Empty if there is no cookie.
Bytes take_cookie(wire::ClientHello& hello) {
  const auto found = std::ranges::find(hello.extensions, wire::kExtensionCookie, &wire::Extension::type);
  if (found == hello.extensions.end()) return {};
  Bytes cookie = std::move(found->data);
  hello.extensions.erase(found);
  return cookie;
}

}  // namespace

RetryCookies::RetryCookies(Random& random) : key_(kKey) { random.fill(key_.expose_for_writing()); }

Bytes RetryCookies::cookie(const wire::ClientHello& bare, std::string_view network, std::int64_t step) const {
  const Bytes address = wire::Writer().vec16(view_of(network)).u64(static_cast<std::uint64_t>(step)).bytes();
  const Bytes hello = bare.encode();
  return crypto::hmac(crypto::Digest::sha256, key_.expose(), {address, hello});
}

wire::Retry RetryCookies::retry(wire::ClientHello hello, std::string_view network, Time now) const {
  static_cast<void>(take_cookie(hello));
  return {.cookie = cookie(hello, network, step_of(now))};
}

bool RetryCookies::accepts(wire::ClientHello hello, std::string_view network, Time now) const {
  const Bytes brought = take_cookie(hello);
  if (brought.empty()) return false;
  const std::int64_t step = step_of(now);
  const bool current = crypto::equal_constant_time(brought, cookie(hello, network, step));
  return current || crypto::equal_constant_time(brought, cookie(hello, network, step - 1));
}

}  // namespace usher::channel
