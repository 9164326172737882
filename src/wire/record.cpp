#include "wire/record.h"

#include <bit>

#include "base/must.h"
#include "wire/codec.h"

namespace usher::wire {
namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::uint8_t kRequestTag = 1;
constexpr std::uint8_t kResponseTag = 2;
constexpr std::size_t kCbcPadding = 16;  // bytes at most

bool is_path(View path) noexcept {
  return std::ranges::all_of(
      path, [](std::uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '-'; });
}

std::size_t max_plaintext(Direction direction) noexcept {
  return direction == Direction::to_client ? kMaxPlaintext : kMaxRequestPlaintext;
}

bool fits_rule(std::size_t total, std::size_t content, Padding rule) noexcept {
  switch (rule) {
    case Padding::request:
      return total == padded_request(content);
    case Padding::any_request:
      return total == padded_request(content) || total == kAuthRequest;
    case Padding::response:
      return total == padded_response(content);
    case Padding::chunk:
      return total % 256 == 0;
    case Padding::auth_response:
      return total >= kAuthAnswer && total <= kMaxAuthAnswer && std::has_single_bit(total);
  }
  return false;
}

void put(std::uint8_t* out, std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i, value >>= 8) out[i] = static_cast<std::uint8_t>(value);
}

}  // namespace

std::array<std::uint8_t, kHeaderSize> RecordHeader::encode() const {
  std::array<std::uint8_t, kHeaderSize> out{};
  out[0] = kRecordVersion;
  put(&out[1], suite, 2);
  std::ranges::copy(session, &out[3]);
  out[19] = static_cast<std::uint8_t>(direction);
  put(&out[20], sequence, 8);
  put(&out[28], request, 8);
  std::ranges::copy(iv, &out[36]);
  put(&out[52], length, 4);
  return out;
}

Result<RecordHeader> RecordHeader::decode(View record) {
  Reader in(record, "record");
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kRecordVersion) return fail(Fault::unsupported, "record: version");
  RecordHeader header;
  header.suite = in.u16();
  header.session = in.array<16>();
  const std::uint8_t direction = in.u8();
  header.sequence = in.u64();
  header.request = in.u64();
  header.iv = in.array<16>();
  header.length = in.u32();
  if (!in.ok() || direction > static_cast<std::uint8_t>(Direction::identity)) {
    return fail(Fault::malformed, "record: header");
  }
  header.direction = static_cast<Direction>(direction);
  if (header.length > max_plaintext(header.direction) + kCbcPadding) return fail(Fault::too_long, "record: length");
  if (header.length > in.left()) return fail(Fault::malformed, "record: cut short");
  return header;
}

Bytes Request::encode() const {
  must(!path.empty() && path.size() <= kMaxPath && body.size() <= kMaxRequestBody);
  Writer list;
  for (const Parameter& each : parameters) list.vec8(view_of(each.name)).vec16(each.value);
  return Writer().u8(kRequestTag).vec8(view_of(path)).vec16(list.bytes()).vec32(body).bytes();
}

Result<Request> Request::decode(View content) {
  Reader in(content, "request");
  if (in.u8() != kRequestTag) in.refuse();
  const View path = in.vec8(1, kMaxPath);
  if (!is_path(path)) in.refuse();
  Request request;
  request.path = std::string(text_of(path));
  Reader list(in.vec16(), "request: parameters");
  while (list.ok() && !list.empty()) {
    Parameter parameter{std::string(text_of(list.vec8())), to_bytes(list.vec16())};
    // std::string compares as unsigned bytes.
    if (!list.ok() || (!request.parameters.empty() && parameter.name <= request.parameters.back().name)) in.refuse();
    if (!in.ok()) break;
    request.parameters.push_back(std::move(parameter));
  }
  request.body = to_bytes(in.vec32(0, kMaxRequestBody));
  USHER_CHECK(in.finish());
  return request;
}

const Bytes* Request::parameter(std::string_view name) const noexcept {
  for (const Parameter& each : parameters) {
    if (each.name == name) return &each.value;
  }
  return nullptr;
}

std::array<std::uint8_t, kResponseHead> ResponseHead::encode() const {
  std::array<std::uint8_t, kResponseHead> out{};
  out[0] = kResponseTag;
  put(&out[1], status, 2);
  out[3] = static_cast<std::uint8_t>(type);
  put(&out[4], body_size, 4);
  return out;
}

Result<ResponseHead> ResponseHead::decode(View content) {
  Reader in(content, "response");
  if (in.u8() != kResponseTag) in.refuse();
  ResponseHead head;
  head.status = in.u16();
  const std::uint8_t type = in.u8();
  head.body_size = in.u32();
  if (!in.ok() || type > static_cast<std::uint8_t>(ResponseType::chunk) || head.body_size != in.left() ||
      (head.status != 0 && type != 0) || (type == 0 && head.body_size != 0)) {
    return fail(Fault::malformed, "response");
  }
  head.type = static_cast<ResponseType>(type);
  return head;
}

Result<View> unpad(View plaintext, Padding rule) {
  Reader in(plaintext, "padding");
  const std::uint32_t size = in.u32();
  const View content = in.raw(size);
  const View zeros = in.rest();
  // A plain loop, not in constant time: the padding is no secret, because its sender is the verified peer.
  if (!in.ok() || !fits_rule(plaintext.size(), size, rule) ||
      !std::ranges::all_of(zeros, [](std::uint8_t byte) { return byte == 0; })) {
    return fail(Fault::malformed, "padding");
  }
  return content;
}

Result<Id128> session_of_record(View record) {
  USHER_TRY(const RecordHeader header, RecordHeader::decode(record));
  return header.session;
}

}  // namespace usher::wire
