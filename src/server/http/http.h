// server/http/http: requests and responses as plain values, independent of the HTTP library.  Spec: channel.md §8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"

namespace usher::server {

enum class Method : std::uint8_t { get, post, other };

struct HttpRequest {
  std::uint64_t number = 0;  // counts the requests of this process, for the log
  Method method = Method::other;
  std::string path;   // before the '?', as sent
  std::string query;  // after the '?'
  bool has_query = false;
  std::string content_type;  // as sent; repeated fields are joined with ", "
  std::string accept;        // the same
  std::string peer;          // address without the port
  std::string network;       // key for limits: the IPv4 address, or the /64 of the IPv6 address
  Bytes body;                // empty while only the head has been read
};

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type{};  // a literal; empty: not sent
  Bytes body{};
  unsigned retry_after = 0;  // seconds; 0: not sent
  std::string_view allow{};  // a literal: the methods in a 405's Allow field
};

/// The decision about a request whose head was read: the largest body in bytes that it may send, or the refusal.
using Admission = std::variant<std::size_t, HttpResponse>;

/// The service behind a listener. Called from several threads at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// `head` has no body yet. Never blocks: it runs on the event loop.
  [[nodiscard]] virtual Admission admit(const HttpRequest& head) = 0;
  /// May block: it runs on a worker, unless answers_at_once().
  [[nodiscard]] virtual HttpResponse handle(HttpRequest request) = 0;
  /// True if handle() never blocks for such a request. It then runs on the event loop, so that the request is answered
  /// even if all workers hang.
  [[nodiscard]] virtual bool answers_at_once(const HttpRequest& /*head*/) const { return false; }
  /// The answer to a request that the transport itself refuses (a head that cannot be parsed, a body that is too long,
  /// a wrong Host, too many connections), in this listener's format. `code`: a literal, §8.2.
  [[nodiscard]] virtual HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& head) = 0;
};

/// The reason phrase, such as "Not Found"; empty if usher does not use this status.
[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

/// The status line, the header fields of §8.1, Content-Length and the empty line.
[[nodiscard]] std::string head_of(const HttpResponse& response, bool keep_alive);

}  // namespace usher::server
