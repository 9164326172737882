#include "server/http/http.h"

#include <fmt/format.h>

namespace usher::server {

std::string_view reason_of(unsigned status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

std::string head_of(const HttpResponse& response, bool keep_alive) {
  std::string head;
  head.reserve(256);
  const auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", response.status, reason_of(response.status),
                 response.body.size());
  if (!response.content_type.empty()) fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
  if (response.retry_after != 0) fmt::format_to(out, "Retry-After: {}\r\n", response.retry_after);
  if (!response.allow.empty()) fmt::format_to(out, "Allow: {}\r\n", response.allow);
  head += "Cache-Control: no-store, no-transform\r\nX-Content-Type-Options: nosniff\r\n";
  head += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace usher::server
