// wire/record: the encoding of records and of their content.  Spec: channel.md §6.1, §6.4, §7.
//
//   offset: 0 version · 1 suite · 3 session · 19 direction · 20 sequence · 28 request · 36 iv · 52 length ·
//   56 ciphertext
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/api.h"

namespace usher::wire {

inline constexpr std::size_t kHeaderSize = 56;               // bytes
inline constexpr std::size_t kMaxPlaintext = 1'052'672;      // bytes
inline constexpr std::size_t kMaxRequestPlaintext = 65'536;  // bytes
inline constexpr std::size_t kMaxRequestBody = 49'152;       // bytes
inline constexpr std::size_t kMaxPath = 64;                  // characters
/// Header, plaintext, one block of CBC padding, the longest MAC: an HTTP body must have room for all of it.
inline constexpr std::size_t kMaxRecord = kHeaderSize + kMaxPlaintext + 16 + 48;
inline constexpr std::size_t kMaxRequestRecord = kHeaderSize + kMaxRequestPlaintext + 16 + 48;

enum class Direction : std::uint8_t { to_server = 0, to_client = 1, identity = 2 };

struct RecordHeader {
  std::uint16_t suite = 0;
  Id128 session{};
  Direction direction = Direction::to_server;
  std::uint64_t sequence = 0;
  std::uint64_t request = 0;  // in a request its own sequence, in a response the sequence of its request
  std::array<std::uint8_t, 16> iv{};
  std::uint32_t length = 0;  // of the ciphertext, without tag or MAC
  [[nodiscard]] std::array<std::uint8_t, kHeaderSize> encode() const;
  /// Decodes the header of a whole record. Errors: malformed (too short for header and length, direction above 2),
  /// unsupported (version), too_long (length above the direction's limit).
  [[nodiscard]] static Result<RecordHeader> decode(View record);
  bool operator==(const RecordHeader&) const = default;
};

struct Parameter {
  std::string name;
  Bytes value;
  bool operator==(const Parameter&) const = default;
};

/// The content of a request.
struct Request {
  std::string path;                   // 1..64 of a-z 0-9 / -
  std::vector<Parameter> parameters;  // names strictly ascending
  Bytes body;                         // up to kMaxRequestBody
  [[nodiscard]] Bytes encode() const;
  /// Errors: malformed.
  [[nodiscard]] static Result<Request> decode(View content);
  /// nullptr if it is absent.
  [[nodiscard]] const Bytes* parameter(std::string_view name) const noexcept;
  bool operator==(const Request&) const = default;
};

enum class ResponseType : std::uint8_t { empty = 0, structure = 1, chunk = 2 };
inline constexpr std::size_t kResponseHead = 8;  // bytes before the body

/// The beginning of a response's content; the body follows it.
struct ResponseHead {
  std::uint16_t status = 0;  // wire::Status; other numbers are possible
  ResponseType type = ResponseType::empty;
  std::uint32_t body_size = 0;
  [[nodiscard]] std::array<std::uint8_t, kResponseHead> encode() const;
  /// Errors: malformed (also a refusal or type 0 with a body; a body size other than the number of bytes that follow).
  [[nodiscard]] static Result<ResponseHead> decode(View content);
  bool operator==(const ResponseHead&) const = default;
};

// Padding: u32 n ‖ content ‖ zeros. Each function returns the plaintext's size for n bytes of content.
inline constexpr std::size_t kLengthSize = 4;  // bytes of n
[[nodiscard]] constexpr std::size_t padded_request(std::size_t content) noexcept {
  return (kLengthSize + content + 255) / 256 * 256;
}
/// `least`: the smallest size, a power of two; kAuthAnswer or more for answers to api/auth.
[[nodiscard]] constexpr std::size_t padded_response(std::size_t content, std::size_t least = 512) noexcept {
  std::size_t size = least;
  while (size < kLengthSize + content) size *= 2;
  return size;
}
/// P(chunk size), §7.
[[nodiscard]] constexpr std::size_t padded_chunk(std::size_t chunk_size) noexcept {
  return padded_request(kResponseHead + 1 + kProofDepth * 32 + 4 + chunk_size);
}
// Sizes of api/auth. Without padding, the sizes would reveal the card and the length of the name. So all requests have
// one size, and all answers have one size, refusals included. An answer is larger only if the server's own id and
// licence keys need it.
inline constexpr std::size_t kAuthRequest = 24'576;    // bytes
inline constexpr std::size_t kAuthAnswer = 1'024;      // bytes
inline constexpr std::size_t kMaxAuthAnswer = 16'384;  // bytes
/// The chunk size that is used for a request that names no play of this person.
inline constexpr std::size_t kNoChunkSize = 65'536;  // bytes

enum class Padding : std::uint8_t { request, any_request, response, chunk, auth_response };
/// The content inside a plaintext; borrows. Errors: malformed (n too large, a byte of padding that is not zero,
/// a total that the rule does not allow). `chunk` allows every multiple of 256. `any_request` allows the size of a
/// request and kAuthRequest; the caller must check against the content which one is right.
[[nodiscard]] Result<View> unpad(View plaintext, Padding rule);

/// The session of a record, to look it up. Errors: as RecordHeader::decode.
[[nodiscard]] Result<Id128> session_of_record(View record);

}  // namespace usher::wire
