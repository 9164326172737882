#include "server/http/http_connection.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 wrongly reports that Asio's operator delete must not free a frame that Asio's operator new has allocated.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

namespace usher::server {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace {

constexpr asio::use_awaitable_t<Strand> kAwait{};
constexpr std::size_t kLingerBytes = 256 << 10;
constexpr Milliseconds kLingerTime{2'000};

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> next = 1;
  return next.fetch_add(1, std::memory_order_relaxed);
}

/// The values of all fields with one name, joined, so that a repeated field is never mistaken for a single one.
std::string joined(const http::fields& fields, http::field name) {
  std::string out;
  const auto [first, last] = fields.equal_range(name);
  for (auto field = first; field != last; ++field) {
    if (field != first) out += ", ";
    out.append(field->value().data(), field->value().size());
  }
  return out;
}

HttpRequest head_from(const Parser::value_type& message, const std::string& peer, const std::string& network) {
  HttpRequest head;
  head.number = next_number();
  head.peer = peer;
  head.network = network;
  switch (message.method()) {
    case http::verb::get:
      head.method = Method::get;
      break;
    case http::verb::post:
      head.method = Method::post;
      break;
    default:
      head.method = Method::other;
      break;
  }
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  head.has_query = mark != std::string_view::npos;
  if (head.has_query) head.query = target.substr(mark + 1);
  head.content_type = joined(message, http::field::content_type);
  head.accept = joined(message, http::field::accept);
  return head;
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpShared> shared, Socket socket, std::string peer,
                               std::string counted_as, bool admitted)
    : shared_(std::move(shared)),
      stream_(std::move(socket)),
      buffer_((64 << 10) + shared_->limits.header_bytes),
      peer_(std::move(peer)),
      counted_as_(std::move(counted_as)),
      admitted_(admitted) {
  const std::scoped_lock lock(shared_->mutex);
  if (admitted_) shared_->open.insert(this);
}

HttpConnection::~HttpConnection() {
  std::size_t open = 0;
  {
    const std::scoped_lock lock(shared_->mutex);
    if (!admitted_) {
      --shared_->refusing;
      return;
    }
    shared_->open.erase(this);
    const auto count = shared_->by_address.find(counted_as_);
    if (--count->second == 0) shared_->by_address.erase(count);
    open = shared_->open.size();
  }
  if (shared_->events.connections) shared_->events.connections(open);
}

void HttpConnection::start() {
  asio::co_spawn(stream_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void HttpConnection::close_if_idle() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->stream_.close();
  });
}

asio::awaitable<void, Strand> HttpConnection::run() {
  boost::system::error_code ignored;
  ignored = stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  bool more = true;
  if (!admitted_) {
    HttpRequest head;
    head.number = next_number();
    head.peer = peer_;
    more = co_await refuse_and_close(503, "server-busy", head);
  }
  while (more) {
    more = co_await wait_for_request();
    if (more) more = co_await serve_one();
  }
  stream_.close();
}

HttpConnection::Awaited HttpConnection::wait_for_request() {
  if (shared_->draining) co_return false;
  idle_ = true;
  if (buffer_.size() == 0) {
    boost::system::error_code error;
    stream_.expires_after(first_ ? shared_->limits.header_time : shared_->limits.idle_time);
    const std::size_t got =
        co_await stream_.async_read_some(buffer_.prepare(8 << 10), asio::redirect_error(kAwait, error));
    if (error == beast::error::timeout && first_) shared_->refused("timeout");
    if (error) co_return false;
    buffer_.commit(got);
  }
  idle_ = false;
  first_ = false;
  co_return true;
}

HttpConnection::Awaited HttpConnection::serve_one() {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes));
  parser.body_limit(boost::none);  // bounded below, once the route is known
  boost::system::error_code error;
  stream_.expires_after(shared_->limits.header_time);
  co_await http::async_read_header(stream_, buffer_, parser, asio::redirect_error(kAwait, error));
  if (error == beast::error::timeout) shared_->refused("timeout");
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    co_return co_await refuse_and_close(431, "too-long", head_from(parser.get(), peer_, counted_as_));
  }
  if (error && error.category() == beast::http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    co_return co_await refuse_and_close(400, "malformed", head_from(parser.get(), peer_, counted_as_));
  }
  if (error) co_return false;

  HttpRequest request = head_from(parser.get(), peer_, counted_as_);
  const auto host = parser.get().equal_range(http::field::host);
  if (host.first == host.second || std::next(host.first) != host.second ||
      !shared_->names.contains({host.first->value().data(), host.first->value().size()})) {
    co_return co_await refuse_and_close(421, "wrong-name", request);
  }
  Admission admission = shared_->handler.admit(request);
  if (auto* refusal = std::get_if<HttpResponse>(&admission)) {
    const bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
    const bool keep = !has_body && parser.get().keep_alive() && !shared_->draining;
    const bool sent = co_await send(std::move(*refusal), keep);
    if (sent && has_body) co_await linger();
    co_return sent&& keep;
  }
  const std::size_t max = std::get<std::size_t>(admission);
  if (parser.content_length().value_or(0) > max) co_return co_await refuse_and_close(413, "too-long", request);
  const bool body_read = co_await read_body(parser, request, max);
  if (!body_read) co_return false;

  request.body = std::move(parser.get().body());
  const bool wants_more = parser.get().keep_alive();
  HttpResponse response;
  if (shared_->handler.answers_at_once(request)) {
    response = handle(std::move(request));
  } else {
    response = co_await work(std::move(request));
  }
  const bool keep = wants_more && !shared_->draining;
  const bool sent = co_await send(std::move(response), keep);
  co_return sent&& keep;
}

asio::awaitable<HttpResponse, Strand> HttpConnection::work(HttpRequest request) {
  auto initiate = [this, asked = std::make_shared<HttpRequest>(std::move(request))](auto handler) {
    // A worker's step must be copyable; the handler is not.
    const auto done = std::make_shared<decltype(handler)>(std::move(handler));
    const auto answer = [this, done](HttpResponse response) {
      asio::post(stream_.get_executor(),
                 [done, response = std::move(response)]() mutable { std::move (*done)(std::move(response)); });
    };
    const auto queued = shared_->workers.run(counted_as_, [this, answer, asked] {
      answer(handle(std::move(*asked)));
      return false;
    });
    if (!queued) answer(shared_->handler.refuse(503, "server-busy", *asked));
  };
  return asio::async_initiate<const asio::use_awaitable_t<Strand>, void(HttpResponse)>(std::move(initiate), kAwait);
}

HttpResponse HttpConnection::handle(HttpRequest request) {
  HttpRequest head{.number = request.number,
                   .method = request.method,
                   .path = request.path,
                   .query = {},
                   .has_query = false,
                   .content_type = request.content_type,
                   .accept = request.accept,
                   .peer = request.peer,
                   .network = request.network,
                   .body = {}};
  try {
    return shared_->handler.handle(std::move(request));
  } catch (const std::exception& error) {
    // Only this request fails; the server continues.
    shared_->log.error("request failed", {{"request", head.number}, {"reason", error.what()}});
    return shared_->handler.refuse(503, "server-busy", head);
  }
}

HttpConnection::Awaited HttpConnection::read_body(Parser& parser, const HttpRequest& head, std::size_t max) {
  if (parser.is_done()) co_return true;
  parser.body_limit(max);
  const auto expect = parser.get()[http::field::expect];
  if (beast::iequals(expect, "100-continue")) {
    const bool told = co_await send_continue();
    if (!told) co_return false;
  }
  boost::system::error_code error;
  stream_.expires_after(shared_->limits.body_time);
  co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(kAwait, error));
  if (!error) co_return true;
  if (error == beast::error::timeout) shared_->refused("timeout");
  if (error == http::error::body_limit) co_return co_await refuse_and_close(413, "too-long", head);
  if (error.category() == beast::http::make_error_code(http::error::bad_method).category() &&
      error != http::error::partial_message && error != http::error::end_of_stream) {
    co_return co_await refuse_and_close(400, "malformed", head);
  }
  co_return false;
}

HttpConnection::Awaited HttpConnection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await write_all(asio::buffer(kContinue), asio::const_buffer());
}

HttpConnection::Awaited HttpConnection::refuse_and_close(unsigned status, std::string_view code,
                                                         const HttpRequest& head) {
  if (status == 503) shared_->refused("connections");
  const bool sent = co_await send(shared_->handler.refuse(status, code, head), false);
  if (sent) co_await linger();
  co_return false;
}

HttpConnection::Awaited HttpConnection::send(HttpResponse response, bool keep_alive) {
  const std::string head = head_of(response, keep_alive);
  co_return co_await write_all(asio::buffer(head), asio::buffer(response.body));
}

HttpConnection::Awaited HttpConnection::write_all(asio::const_buffer head, asio::const_buffer body) {
  std::array<asio::const_buffer, 2> left{head, body};
  const auto end = std::chrono::steady_clock::now() + shared_->limits.write_time;
  while (left[0].size() + left[1].size() > 0) {
    const auto stall = std::chrono::steady_clock::now() + shared_->limits.write_stall;
    boost::system::error_code error;
    stream_.expires_at(std::min(stall, end));
    std::size_t wrote = co_await stream_.async_write_some(left, asio::redirect_error(kAwait, error));
    if (error == beast::error::timeout) shared_->refused("timeout");
    if (error) co_return false;
    for (asio::const_buffer& part : left) {
      const std::size_t here = std::min(wrote, part.size());
      part += here;
      wrote -= here;
    }
  }
  co_return true;
}

/// Reads what the peer still sends, so that closing does not discard our answer before the peer gets it (RFC 9112
/// §9.6).
asio::awaitable<void, Strand> HttpConnection::linger() {
  boost::system::error_code error;
  error = stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(kLingerTime);
  std::size_t dropped = 0;
  std::array<std::uint8_t, 4096> drain{};
  while (!error && dropped < kLingerBytes) {
    dropped += co_await stream_.async_read_some(asio::buffer(drain), asio::redirect_error(kAwait, error));
  }
}

}  // namespace usher::server
