// net/listening: sockets that listen, for the servers' sources that speak Asio.
#pragma once

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/clock.h"
#include "net/endpoint.h"
#include "net/log.h"

namespace usher::net {

inline constexpr Milliseconds kAcceptPause{200};  // after an error such as "no more descriptors"

/// Binds and listens. Nothing, with a warning, where this machine has no such address family.
/// Errors: busy (the port is taken), not_permitted, bad_config.
[[nodiscard]] Result<std::optional<boost::asio::ip::tcp::acceptor>> open_acceptor(boost::asio::io_context& context,
                                                                                  const Endpoint& endpoint, Log& log);
/// As bound.
[[nodiscard]] Endpoint endpoint_of(const boost::asio::ip::tcp::acceptor& acceptor);

/// What connections are counted by: an address, or of IPv6 the /64 that it is from, which one subscriber has at least.
[[nodiscard]] std::string counted_as(const boost::asio::ip::address& address);

}  // namespace usher::net
