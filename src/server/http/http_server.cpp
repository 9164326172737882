#include "server/http/http_server.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/http/http_connection.h"
#include "server/runtime/listen_socket.h"
#include "server/runtime/runtime_impl.h"

namespace usher::server {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr std::size_t kMaxRefusing = 64;  // connections over the limit that still get a 503; further ones are closed
}  // namespace

/// The server's listening sockets. All code of one socket runs on its strand.
struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  struct Acceptor {
    Acceptor(asio::io_context& context, tcp::acceptor socket_)
        : strand(context.get_executor()), socket(std::move(socket_)), pause(context) {}
    Strand strand;
    tcp::acceptor socket;
    asio::steady_timer pause;
  };

  Impl(Runtime& runtime, std::shared_ptr<HttpShared> shared_)
      : context(runtime.impl().context), shared(std::move(shared_)) {}

  Result<bool> bind(const Endpoint& endpoint, std::vector<Endpoint>& bound);
  void accept(const std::shared_ptr<Acceptor>& acceptor);
  void take(Socket socket);

  asio::io_context& context;
  std::shared_ptr<HttpShared> shared;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
};

Result<bool> HttpServer::Impl::bind(const Endpoint& endpoint, std::vector<Endpoint>& bound) {
  USHER_TRY(auto socket, open_acceptor(context, endpoint, shared->log));
  if (!socket) return false;
  bound.push_back(endpoint_of(*socket));
  acceptors.push_back(std::make_shared<Acceptor>(context, *std::move(socket)));
  return true;
}

void HttpServer::Impl::accept(const std::shared_ptr<Acceptor>& acceptor) {
  // The new socket gets a strand of its own; the acceptor stays on its own strand.
  acceptor->socket.async_accept(
      Strand(context.get_executor()),
      asio::bind_executor(acceptor->strand,
                          [self = shared_from_this(), acceptor](const boost::system::error_code& error, Socket socket) {
                            if (error == asio::error::operation_aborted || !acceptor->socket.is_open()) return;
                            if (!error) {
                              self->take(std::move(socket));
                              self->accept(acceptor);
                              return;
                            }
                            self->shared->log.warning("accept failed", {{"reason", error.message()}});
                            acceptor->pause.expires_after(kAcceptPause);
                            acceptor->pause.async_wait(asio::bind_executor(
                                acceptor->strand, [self, acceptor](const boost::system::error_code& stopped) {
                                  if (!stopped && acceptor->socket.is_open()) self->accept(acceptor);
                                }));
                          }));
}

void HttpServer::Impl::take(Socket socket) {
  boost::system::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  std::string address = peer.address().to_string();
  std::string counted = counted_as(peer.address());
  bool admitted = false;
  std::size_t open = 0;
  std::string_view reason;
  {
    const std::scoped_lock lock(shared->mutex);
    std::size_t& of_address = shared->by_address[counted];
    if (shared->open.size() >= shared->limits.connections) {
      reason = "connections";
    } else if (of_address >= shared->limits.connections_per_address) {
      reason = "connections-per-address";
    }
    admitted = reason.empty();
    if (admitted) {
      ++of_address;
    } else {
      if (of_address == 0) shared->by_address.erase(counted);
      if (shared->refusing >= kMaxRefusing) return;  // the socket closes
      ++shared->refusing;
    }
    open = shared->open.size() + (admitted ? 1 : 0);
  }
  if (admitted && shared->events.connections) shared->events.connections(open);
  if (!admitted) shared->log.debug("connection refused", {{"peer", address}, {"reason", reason}});
  std::make_shared<HttpConnection>(shared, std::move(socket), std::move(address), std::move(counted), admitted)
      ->start();
}

HttpServer::HttpServer(Runtime& runtime, Workers& workers, HttpHandler& handler, const HostNames& names, Log& log,
                       HttpLimits limits, HttpEvents events)
    : impl_(std::make_shared<Impl>(
          runtime, std::make_shared<HttpShared>(workers, handler, names, log, limits, std::move(events)))) {}

HttpServer::~HttpServer() = default;

Result<std::vector<Endpoint>> HttpServer::listen(const std::vector<Endpoint>& endpoints) {
  std::vector<Endpoint> bound;
  for (const Endpoint& endpoint : endpoints) {
    USHER_TRY([[maybe_unused]] const bool there, impl_->bind(endpoint, bound));
  }
  if (bound.empty())
    return fail(Fault::bad_config, "listen", "none of the configured addresses is one of this machine's",
                "Configure one that it has (`ip address` shows them), or 0.0.0.0 or [::] for all.");
  for (const auto& acceptor : impl_->acceptors) {
    asio::post(acceptor->strand, [impl = impl_, acceptor] { impl->accept(acceptor); });
  }
  return bound;
}

void HttpServer::drain() {
  impl_->shared->draining = true;
  for (const auto& acceptor : impl_->acceptors) {
    asio::post(acceptor->strand, [acceptor] {
      boost::system::error_code ignored;
      ignored = acceptor->socket.close(ignored);
      acceptor->pause.cancel();
    });
  }
  // Connections that are being destroyed right now have no owner any more; lock() fails for them. `open` may hold the
  // last reference to a connection, and its destructor takes the mutex. So `open` is released without the mutex.
  std::vector<std::shared_ptr<HttpConnection>> open;
  {
    const std::scoped_lock lock(impl_->shared->mutex);
    for (HttpConnection* connection : impl_->shared->open) {
      if (auto owned = connection->weak_from_this().lock()) open.push_back(std::move(owned));
    }
  }
  for (const auto& connection : open) connection->close_if_idle();
}

bool HttpServer::drained() const {
  const std::scoped_lock lock(impl_->shared->mutex);
  return impl_->shared->open.empty();
}

}  // namespace usher::server
