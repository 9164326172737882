// server/http/body_encoding: the two encodings of a message or record in HTTP.  Spec: channel.md §8.1.
#pragma once

#include <optional>

#include "base/result.h"
#include "server/http/http.h"

namespace usher::server {

inline constexpr std::string_view kTypeHandshake = "application/vnd.usher.handshake";
inline constexpr std::string_view kTypeRecord = "application/vnd.usher.record";
inline constexpr std::string_view kTypeLists = "application/vnd.usher.lists";
inline constexpr std::string_view kTypeError = "application/vnd.usher.error";
inline constexpr std::string_view kTypeJson = "application/json";
inline constexpr std::size_t kMaxRecordInQuery = 6'000;  // bytes of the record

enum class Form : std::uint8_t { binary, text };

/// The form of the request: JSON and GET are text. nullopt: another media type.
[[nodiscard]] std::optional<Form> form_of_request(const HttpRequest& request, std::string_view binary_type);
/// The form of the answer: the one in Accept, if Accept names exactly one; otherwise the request's form. `binary_type`:
/// the media type of a binary answer that is not an error.
[[nodiscard]] Form form_of_answer(const HttpRequest& request, std::string_view binary_type);

/// The most bytes that the text form of `size` bytes takes in HTTP.
[[nodiscard]] constexpr std::size_t text_size(std::size_t size) noexcept { return (size * 4 + 2) / 3 + 64; }

/// The message in the body of a POST. Consumes the request's body. Errors: malformed.
[[nodiscard]] Result<Bytes> message_from_body(HttpRequest& request, Form form);
/// The record in `GET /?data=`, which must be the only parameter. Errors: malformed; too_long.
[[nodiscard]] Result<Bytes> record_from_query(const HttpRequest& request);
/// The value of `data`, the object's only member. Errors: malformed.
[[nodiscard]] Result<Bytes> bytes_from_json(std::string_view json);

[[nodiscard]] HttpResponse answer_with(Bytes message, Form form, std::string_view binary_type);
/// `code`: a literal.
[[nodiscard]] HttpResponse error_with(unsigned status, std::string_view code, Form form);

}  // namespace usher::server
