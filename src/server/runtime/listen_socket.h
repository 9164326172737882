// server/runtime/listen_socket: opens listening sockets, for the servers' sources that use Asio.
#pragma once

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/clock.h"
#include "base/endpoint.h"
#include "server/runtime/log.h"

namespace usher::server {

inline constexpr Milliseconds kAcceptPause{200};  // after an error such as "no more descriptors"

/// Binds and listens. If this machine does not have the address or its family: logs a warning and returns nullopt.
/// Errors: busy (the port is taken), not_permitted, bad_config.
[[nodiscard]] Result<std::optional<boost::asio::ip::tcp::acceptor>> open_acceptor(boost::asio::io_context& context,
                                                                                  const Endpoint& endpoint, Log& log);
/// The address and port that the acceptor is bound to.
[[nodiscard]] Endpoint endpoint_of(const boost::asio::ip::tcp::acceptor& acceptor);

/// The key by which connections are counted: the IPv4 address, or the /64 of the IPv6 address. A subscriber has at
/// least one /64.
[[nodiscard]] std::string counted_as(const boost::asio::ip::address& address);

}  // namespace usher::server
