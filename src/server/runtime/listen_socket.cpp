#include "server/runtime/listen_socket.h"

#include <boost/asio/ip/v6_only.hpp>

#include "base/os_error.h"
#include "server/runtime/endpoint.h"

namespace usher::server {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

bool is_no_such_family(const boost::system::error_code& error) {
  return error == asio::error::address_family_not_supported || error.value() == EADDRNOTAVAIL;
}

}  // namespace

Result<Endpoint> endpoint_from_text(std::string_view text) {
  auto endpoint = Endpoint::from_text(text);
  boost::system::error_code not_an_address;
  if (endpoint) static_cast<void>(asio::ip::make_address(endpoint->host, not_an_address));
  if (endpoint && !not_an_address) return *std::move(endpoint);
  return fail(Fault::bad_config, "endpoint",
              "\"" + std::string(text) + "\" is not ADDRESS:PORT or [ADDRESS]:PORT, as 0.0.0.0:8080");
}

namespace {

/// The error of an address on which listening failed. Its advice is about addresses and ports, not about files.
std::unexpected<Error> refused(const boost::system::error_code& error, const Endpoint& endpoint) {
  const std::string address = "the address " + endpoint.text();
  switch (error.value()) {
    case EADDRINUSE:
      return fail(Fault::busy, "listen", address, "Stop the program that listens there, or configure another address.");
    case EACCES:
    case EPERM:
      return fail(Fault::not_permitted, "listen", address,
                  "Configure a port above 1023, or give the service CAP_NET_BIND_SERVICE.");
    default:
      return fail(fault_of_errno(error.value()), "listen", address + " (" + error.message() + ")",
                  error.value() == EMFILE || error.value() == ENFILE ? "" : "Check the address that is configured.");
  }
}

}  // namespace

Result<std::optional<tcp::acceptor>> open_acceptor(asio::io_context& context, const Endpoint& endpoint, Log& log) {
  const tcp::endpoint wanted(asio::ip::make_address(endpoint.host), endpoint.port);
  tcp::acceptor socket(context);
  boost::system::error_code error;
  error = socket.open(wanted.protocol(), error);
  if (!error && wanted.address().is_v6()) error = socket.set_option(asio::ip::v6_only(true), error);
  if (!error) error = socket.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) error = socket.bind(wanted, error);
  if (!error) error = socket.listen(asio::socket_base::max_listen_connections, error);
  if (error && is_no_such_family(error)) {
    log.warning("address left out", {{"address", endpoint.text()}, {"reason", error.message()}});
    return std::nullopt;
  }
  if (error) {
    return refused(error, endpoint);
  }
  return socket;
}

Endpoint endpoint_of(const tcp::acceptor& acceptor) {
  boost::system::error_code ignored;
  const tcp::endpoint got = acceptor.local_endpoint(ignored);
  return {.host = got.address().to_string(), .port = got.port()};
}

std::string counted_as(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace usher::server
