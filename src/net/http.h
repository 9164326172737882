// net/http: requests and responses as values, without the library that carries them.  Spec: channel.md §8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"

namespace usher::net {

enum class Method : std::uint8_t { get, post, other };

struct HttpRequest {
  std::uint64_t number = 0;  // of this process, for the log
  Method method = Method::other;
  std::string path;   // before the '?', as sent
  std::string query;  // after it
  bool has_query = false;
  std::string content_type;  // as sent; "," between repeated fields
  std::string accept;        // the same
  std::string peer;          // address without the port
  std::string network;       // what limits count by: the address, of IPv6 its /64
  Bytes body;                // empty while only the head has been read
};

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type{};  // a literal; empty: none
  Bytes body{};
  unsigned retry_after = 0;  // seconds; 0: not sent
  std::string_view allow{};  // a literal; the methods that a 405 names
};

/// Whether a request whose head was read may send its body: the largest size in bytes, or the refusal.
using Admission = std::variant<std::size_t, HttpResponse>;

/// What a listener serves. Called from several threads at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// `head` has no body yet. Never blocks: it runs on the event loop.
  [[nodiscard]] virtual Admission admit(const HttpRequest& head) = 0;
  /// May block: it runs on a worker, unless answers_at_once().
  [[nodiscard]] virtual HttpResponse handle(HttpRequest request) = 0;
  /// Whether handle() waits for nothing with such a request, so that it is answered even where all workers hang.
  [[nodiscard]] virtual bool answers_at_once(const HttpRequest& /*head*/) const { return false; }
  /// What the transport itself refuses (a head that cannot be parsed, a body that is too long, a wrong Host, too many
  /// connections), in this listener's form. `code`: a literal, §8.2.
  [[nodiscard]] virtual HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& head) = 0;
};

/// "Not Found"; empty where usher does not use the number.
[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

/// Status line, header fields of §8.1 and Content-Length, up to and with the empty line.
[[nodiscard]] std::string head_of(const HttpResponse& response, bool keep_alive);

}  // namespace usher::net
