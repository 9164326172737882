#include "server/http/media_channel.h"

#include "wire/handshake.h"
#include "wire/record.h"

namespace usher::server {

MediaChannel::Route MediaChannel::route_of(std::string_view path) noexcept {
  if (path == "/") return Route::records;
  if (path == "/api/protocols") return Route::protocols;
  if (path == "/api/keys") return Route::keys;
  if (path == "/api/lists") return Route::lists;
  return Route::none;
}

std::string_view MediaChannel::type_of(Route route) noexcept {
  if (route == Route::lists) return kTypeLists;
  return route == Route::protocols || route == Route::keys ? kTypeHandshake : kTypeRecord;
}

HttpResponse MediaChannel::refuse(unsigned status, std::string_view code, const HttpRequest& head) {
  metrics_.http_refused("media", code);
  if (log_.enabled(Level::debug)) {
    log_.debug("http refused", {{"request", head.number}, {"status", status}, {"code", code}, {"peer", head.peer}});
  }
  HttpResponse response = error_with(status, code, form_of_answer(head, type_of(route_of(head.path))));
  if (status == 503) response.retry_after = 1;
  return response;
}

Admission MediaChannel::admit(const HttpRequest& head) {
  const Route route = route_of(head.path);
  if (route == Route::none) return refuse(404, "unknown-path", head);
  const bool get = head.method == Method::get && route == Route::records;
  if (head.method != Method::post && !get) {
    HttpResponse response = refuse(405, "unexpected-message", head);
    response.allow = route == Route::records ? "GET, POST" : "POST";
    return response;
  }
  if (get) return std::size_t{0};
  if (head.has_query) return refuse(400, "malformed", head);
  const auto form = form_of_request(head, type_of(route));
  if (!form) return refuse(415, "unsupported", head);
  std::size_t max = wire::kMaxRequestRecord;
  if (route == Route::protocols) max = wire::kMaxClientHello;
  if (route == Route::keys) max = wire::kMaxClientKeys;
  if (route == Route::lists) max = 0;
  return *form == Form::text ? text_size(max) : max;
}

Result<Bytes> MediaChannel::work(Route route, HttpRequest& request) {
  if (route == Route::lists) return *lists_.get();
  const std::uint64_t number = request.number;
  if (request.method == Method::get) {
    USHER_TRY(Bytes record, record_from_query(request));
    return driver_.record(std::move(record), number);
  }
  const auto form = form_of_request(request, type_of(route));
  USHER_TRY(Bytes message, message_from_body(request, form.value_or(Form::binary)));
  if (route == Route::protocols) return driver_.protocols(message, request.network, number);
  if (route == Route::keys) return driver_.keys(message, number);
  return driver_.record(std::move(message), number);
}

HttpResponse MediaChannel::handle(HttpRequest request) {
  const Route route = route_of(request.path);
  auto answer = work(route, request);
  if (answer) {
    const Form form = form_of_answer(request, type_of(route));
    return answer_with(std::move(*answer), form, type_of(route));
  }
  const HttpError error = http_error_of(answer.error().fault);
  if (error.status == 503 && answer.error().fault != Fault::server_busy) {
    log_.error("request failed",
               {{"request", request.number}, {"code", code_of(answer.error().fault)}, {"step", answer.error().where}});
  }
  return refuse(error.status, error.code, request);
}

}  // namespace usher::server
