#include "server/http/body_encoding.h"

#include <algorithm>

#include <boost/json/basic_parser_impl.hpp>

#include "base/encoding.h"

namespace usher::server {
namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Whether one of the comma-separated media ranges is this type. Parameters are ignored.
bool names(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    std::string_view item = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
    item = item.substr(0, item.find(';'));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (same_ignoring_case(item, type)) return true;
  }
  return false;
}

/// Accepts one flat object whose only member is a string named "data". Anything else stops the parser.
struct DataHandler {
  static constexpr std::size_t max_object_size = 1;
  static constexpr std::size_t max_array_size = 0;
  static constexpr std::size_t max_key_size = 4;
  static constexpr std::size_t max_string_size = std::size_t{1} << 24;
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  std::string key;
  std::string data;
  bool inside = false;
  bool complete = false;

  static bool refuse(Code& code) {
    code = boost::json::error::syntax;
    return false;
  }
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code& code) { return complete || refuse(code); }
  bool on_object_begin(Code& code) { return !std::exchange(inside, true) || refuse(code); }
  bool on_object_end(std::size_t members, Code& code) { return (complete = members == 1) || refuse(code); }
  bool on_array_begin(Code& code) { return refuse(code); }
  bool on_array_end(std::size_t, Code& code) { return refuse(code); }
  bool on_key_part(Text part, std::size_t, Code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code& code) {
    key.append(part.data(), part.size());
    return key == "data" || refuse(code);
  }
  bool take(Text part, Code& code) {
    if (!inside) return refuse(code);
    data.append(part.data(), part.size());
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code& code) { return take(part, code); }
  bool on_string(Text part, std::size_t, Code& code) { return take(part, code); }
  bool on_number_part(Text, Code& code) { return refuse(code); }
  bool on_int64(std::int64_t, Text, Code& code) { return refuse(code); }
  bool on_uint64(std::uint64_t, Text, Code& code) { return refuse(code); }
  bool on_double(double, Text, Code& code) { return refuse(code); }
  bool on_bool(bool, Code& code) { return refuse(code); }
  bool on_null(Code& code) { return refuse(code); }
  bool on_comment_part(Text, Code& code) { return refuse(code); }
  bool on_comment(Text, Code& code) { return refuse(code); }
};

}  // namespace

std::optional<Form> form_of_request(const HttpRequest& request, std::string_view binary_type) {
  if (request.method == Method::get) return Form::text;
  if (same_ignoring_case(request.content_type, binary_type)) return Form::binary;
  if (same_ignoring_case(request.content_type, kTypeJson)) return Form::text;
  return std::nullopt;
}

Form form_of_answer(const HttpRequest& request, std::string_view binary_type) {
  const bool text = names(request.accept, kTypeJson);
  const bool binary = names(request.accept, binary_type) || names(request.accept, kTypeError);
  if (text != binary) return text ? Form::text : Form::binary;
  if (request.method == Method::get || same_ignoring_case(request.content_type, kTypeJson)) return Form::text;
  return Form::binary;
}

Result<Bytes> bytes_from_json(std::string_view json) {
  boost::json::parse_options options;
  options.max_depth = 1;
  boost::json::basic_parser<DataHandler> parser(options);
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, json.data(), json.size(), code);
  if (code || used != json.size()) return fail(Fault::malformed, "form: json");
  return from_base64url(parser.handler().data);
}

Result<Bytes> message_from_body(HttpRequest& request, Form form) {
  if (form == Form::binary) return std::move(request.body);
  return bytes_from_json(text_of(request.body));
}

Result<Bytes> record_from_query(const HttpRequest& request) {
  static constexpr std::string_view kName = "data=";
  if (!request.query.starts_with(kName)) return fail(Fault::malformed, "form: query");
  const std::string_view value = std::string_view(request.query).substr(kName.size());
  if (value.size() > (kMaxRecordInQuery * 4 + 2) / 3) return fail(Fault::too_long, "form: query");
  return from_base64url(value);
}

HttpResponse answer_with(Bytes message, Form form, std::string_view binary_type) {
  HttpResponse response;
  if (form == Form::binary) {
    response.content_type = binary_type;
    response.body = std::move(message);
    return response;
  }
  response.content_type = kTypeJson;
  response.body = to_bytes(view_of("{\"data\":\"" + to_base64url(message) + "\"}"));
  return response;
}

HttpResponse error_with(unsigned status, std::string_view code, Form form) {
  HttpResponse response{.status = status};
  if (form == Form::binary) {
    response.content_type = kTypeError;
    response.body = to_bytes(view_of(code));
  } else {
    response.content_type = kTypeJson;
    response.body = to_bytes(view_of("{\"error\":\"" + std::string(code) + "\"}"));
  }
  return response;
}

}  // namespace usher::server
