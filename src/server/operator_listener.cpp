#include "server/operator_listener.h"

namespace usher::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

HttpResponse text(unsigned status, const std::string& body) {
  return {.status = status, .content_type = kText, .body = to_bytes(view_of(body + "\n"))};
}

}  // namespace

Admission OperatorListener::admit(const HttpRequest& head) {
  if (head.path != "/healthz" && head.path != "/readyz" && head.path != "/metrics") {
    return refuse(404, "unknown-path", head);
  }
  if (head.method != Method::get) {
    HttpResponse response = refuse(405, "unexpected-message", head);
    response.allow = "GET";
    return response;
  }
  return std::size_t{0};
}

HttpResponse OperatorListener::handle(HttpRequest request) {
  if (request.path == "/metrics") {
    return {.content_type = Metrics::kContentType, .body = to_bytes(view_of(metrics_.text()))};
  }
  if (request.path == "/readyz") {
    std::string reasons;  // one per line
    for (const std::string& reason : not_ready_()) reasons += (reasons.empty() ? "" : "\n") + reason;
    return reasons.empty() ? text(200, "ready") : text(503, reasons);
  }
  return text(200, "ok");
}

HttpResponse OperatorListener::refuse(unsigned status, std::string_view code, const HttpRequest&) {
  return text(status, std::string(code));
}

}  // namespace usher::server
