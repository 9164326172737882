// server/http/http_connection: one connection of an HttpServer.  For http_server.cpp only.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>

#include "server/http/http_server.h"
#include "server/runtime/workers.h"

namespace usher::server {

using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using Stream = boost::beast::basic_stream<boost::asio::ip::tcp, Strand>;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand>;
using Parser = boost::beast::http::request_parser<boost::beast::http::vector_body<std::uint8_t>>;

class HttpConnection;

/// The state that all connections of one server share.
struct HttpShared {
  HttpShared(Workers& workers_, HttpHandler& handler_, const HostNames& names_, Log& log_, HttpLimits limits_,
             HttpEvents events_)
      : workers(workers_), handler(handler_), names(names_), log(log_), limits(limits_), events(std::move(events_)) {}

  Workers& workers;
  HttpHandler& handler;
  const HostNames& names;
  Log& log;
  const HttpLimits limits;
  const HttpEvents events;
  std::atomic<bool> draining = false;

  mutable std::mutex mutex;
  std::map<std::string, std::size_t> by_address;
  std::set<HttpConnection*> open;  // admitted connections only, without those that get a refusal
  std::size_t refusing = 0;

  void refused(std::string_view reason) const {
    if (events.refused) events.refused(reason);
  }
};

/// Reads requests one at a time and answers them. All of it runs on the connection's strand, except for handle() on a
/// worker.
class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
 public:
  /// `admitted`: HttpServer has counted this connection; otherwise its only answer is 503.
  HttpConnection(std::shared_ptr<HttpShared> shared, Socket socket, std::string peer, std::string counted_as,
                 bool admitted);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void start();
  /// From any thread: closes the connection if no request is under way.
  void close_if_idle();

 private:
  using Awaited = boost::asio::awaitable<bool, Strand>;  // false: close the connection

  boost::asio::awaitable<void, Strand> run();
  Awaited wait_for_request();
  Awaited serve_one();
  [[nodiscard]] HttpResponse handle(HttpRequest request);
  /// Runs handle() on a worker. The owner of the job is the peer's network, so that networks take turns.
  boost::asio::awaitable<HttpResponse, Strand> work(HttpRequest request);
  Awaited refuse_and_close(unsigned status, std::string_view code, const HttpRequest& head);
  Awaited read_body(Parser& parser, const HttpRequest& head, std::size_t max);
  Awaited send_continue();
  Awaited send(HttpResponse response, bool keep_alive);
  Awaited write_all(boost::asio::const_buffer head, boost::asio::const_buffer body);
  boost::asio::awaitable<void, Strand> linger();

  std::shared_ptr<HttpShared> shared_;
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  std::string peer_;
  std::string counted_as_;
  bool admitted_;
  bool idle_ = true;  // used on the strand only
  bool first_ = true;
};

}  // namespace usher::server
