#include "card/card_wire.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include "base/encoding.h"
#include "base/os_error.h"
#include "wire/codec.h"

namespace usher::card::card_wire {
namespace {

using wire::Reader;
using wire::Writer;

constexpr std::string_view kWhere = "card agent";
constexpr std::uint64_t kMaxSeconds = 253402300799;  // the year 9999

/// Waits until the socket is ready. Errors: server_busy, io.
Result<> wait_for(int socket, short events, const Deadline& deadline) {
  for (;;) {
    int left = -1;
    if (deadline) {
      const auto until = std::chrono::ceil<Milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
      if (until <= 0) return fail(Fault::server_busy, kWhere);
      left = static_cast<int>(std::min<std::int64_t>(until, 1 << 30));
    }
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, left);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno(kWhere);
  }
}

Result<> send_all(int socket, View bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    USHER_CHECK(wait_for(socket, POLLOUT, deadline));
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return fail(errno == EPIPE || errno == ECONNRESET ? Fault::interrupted : Fault::io, kWhere);
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<> receive_all(int socket, MutableView out, const Deadline& deadline) {
  while (!out.empty()) {
    USHER_CHECK(wait_for(socket, POLLIN, deadline));
    const ssize_t got = ::recv(socket, out.data(), out.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return fail(got == 0 || errno == ECONNRESET ? Fault::interrupted : Fault::io, kWhere);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

void write_token(Writer& out, const p11::TokenInfo& token) {
  out.u64(token.slot).text8(token.label).text8(token.manufacturer).text8(token.model).text8(token.serial);
  for (const bool flag : {token.initialised, token.login_required, token.protected_path, token.write_protected}) {
    out.u8(flag ? 1 : 0);
  }
  out.u8(static_cast<std::uint8_t>(token.pin)).u32(token.min_pin).u32(token.max_pin);
}

p11::TokenInfo read_token(Reader& in) {
  p11::TokenInfo token;
  token.slot = in.u64();
  token.label = in.text8();
  token.manufacturer = in.text8();
  token.model = in.text8();
  token.serial = in.text8();
  token.initialised = in.flag();
  token.login_required = in.flag();
  token.protected_path = in.flag();
  token.write_protected = in.flag();
  const std::uint8_t pin = in.u8();
  if (pin > static_cast<std::uint8_t>(p11::PinState::not_set)) in.refuse();
  token.pin = static_cast<p11::PinState>(pin);
  token.min_pin = in.u32();
  token.max_pin = in.u32();
  return token;
}

}  // namespace

Result<> send(int socket, View head, View tail, const Deadline& deadline) {
  const Writer length = std::move(Writer{}.u32(static_cast<std::uint32_t>(head.size() + tail.size())));
  USHER_CHECK(send_all(socket, length.bytes(), deadline));
  USHER_CHECK(send_all(socket, head, deadline));
  return send_all(socket, tail, deadline);
}

Result<crypto::Secret> receive(int socket, const Deadline& deadline) {
  std::array<std::uint8_t, 4> prefix{};
  USHER_CHECK(receive_all(socket, prefix, deadline));
  const std::uint32_t size = Reader(prefix, kWhere).u32();
  if (size > kMaxFrame) return fail(Fault::malformed, kWhere);
  crypto::Secret body(size);
  USHER_CHECK(receive_all(socket, body.expose_for_writing(), deadline));
  return body;
}

Bytes encode(const CardQuery& query) {
  Writer out;
  out.vec16(view_of(query.module));
  out.text8(query.token_label).u8(query.slot ? 1 : 0).u64(query.slot.value_or(0));
  const person::CardLabels& labels = query.labels;
  out.text8(labels.certificate).text8(labels.key).text8(labels.sub_ca).text8(labels.root);
  out.text8(query.certificate).u8(query.now ? 1 : 0);
  out.u64(query.now ? static_cast<std::uint64_t>(unix_seconds(*query.now)) : 0);
  return std::move(out).take();
}

Result<CardQuery> decode_query(View body) {
  Reader in(body, kWhere);
  CardQuery query;
  query.module = text_of(in.vec16());
  query.token_label = in.text8();
  const bool has_slot = in.flag();
  const p11::SlotId slot = in.u64();
  if (has_slot) query.slot = slot;
  query.labels = {in.text8(), in.text8(), in.text8(), in.text8()};
  query.certificate = in.text8();
  const bool has_now = in.flag();
  const std::uint64_t now = in.u64();
  if (now > kMaxSeconds) in.refuse();
  if (has_now && in.ok()) query.now = from_unix_seconds(static_cast<std::int64_t>(now));
  USHER_CHECK(in.finish());
  return query;
}

Bytes encode(const OpenedCard& card) {
  Writer out;
  out.vec16(view_of(card.module)).u8(static_cast<std::uint8_t>(card.choices.size()));
  for (const OfferedCertificate& one : card.choices) {
    out.u64(one.slot).text16(one.token_label).text16(one.label).vec16(one.certificate);
  }
  if (!card.choices.empty()) return std::move(out).take();
  write_token(out, card.token);
  out.u16(static_cast<std::uint16_t>(card.scheme));
  out.vec16(card.certificate).u8(static_cast<std::uint8_t>(card.authorities.size()));
  for (const Bytes& authority : card.authorities) out.vec16(authority);
  return std::move(out).take();
}

Result<OpenedCard> decode_opened(View body) {
  Reader in(body, kWhere);
  OpenedCard card;
  card.module = text_of(in.vec16());
  const std::uint8_t choices = in.u8();
  if (choices > kMaxCardChoices) in.refuse();
  for (int i = 0; i < choices && in.ok(); ++i) {
    card.choices.push_back({in.u64(), in.text16(), in.text16(), to_bytes(in.vec16(1, p11::kMaxObjectValue))});
  }
  if (!card.choices.empty()) {
    USHER_CHECK(in.finish());
    return card;
  }
  card.token = read_token(in);
  const auto scheme = crypto::scheme_of(in.u16());
  if (!scheme) in.refuse();
  card.scheme = scheme.value_or(crypto::SignatureScheme{});
  card.certificate = to_bytes(in.vec16(1, p11::kMaxObjectValue));
  const std::uint8_t count = in.u8();
  if (count > kMaxCardAuthorities) in.refuse();
  for (int i = 0; i < count && in.ok(); ++i) card.authorities.push_back(to_bytes(in.vec16(1, p11::kMaxObjectValue)));
  USHER_CHECK(in.finish());
  return card;
}

Bytes encode(const p11::TokenInfo& token) {
  Writer out;
  write_token(out, token);
  return std::move(out).take();
}

Result<p11::TokenInfo> decode_token(View body) {
  Reader in(body, kWhere);
  p11::TokenInfo token = read_token(in);
  USHER_CHECK(in.finish());
  return token;
}

Bytes encode(p11::KeyUse use) { return {static_cast<std::uint8_t>(use == p11::KeyUse::each_signature ? 1 : 0)}; }

Result<p11::KeyUse> decode_use(View body) {
  Reader in(body, kWhere);
  const bool each = in.flag();
  USHER_CHECK(in.finish());
  return each ? p11::KeyUse::each_signature : p11::KeyUse::after_login;
}

Bytes encode(const p11::CardSignature& signature) {
  Writer out;
  out.u16(static_cast<std::uint16_t>(signature.scheme)).vec16(signature.bytes);
  return std::move(out).take();
}

Result<p11::CardSignature> decode_signature(View body) {
  Reader in(body, kWhere);
  const auto scheme = crypto::scheme_of(in.u16());
  Bytes bytes = to_bytes(in.vec16());
  USHER_CHECK(in.finish());
  if (!scheme) return fail(Fault::malformed, kWhere);
  return p11::CardSignature{*scheme, std::move(bytes)};
}

Bytes encode(const Error& error) {
  std::string about = printable(error.about);
  if (about.size() > 0xffff) about.clear();
  const std::string advice = error.advice.size() > 0xffff ? std::string{} : printable(error.advice);
  Writer out;
  out.text8(code_of(error.fault)).text16(about).text16(advice);
  return std::move(out).take();
}

Error decode_error(View body) {
  Reader in(body, kWhere);
  const std::string code = in.text8();
  std::string about = in.text16();
  std::string advice = in.text16();
  if (!in.finish()) return {Fault::module_failed, kWhere};
  return {fault_of_code(code), kWhere, std::move(about), std::move(advice)};
}

}  // namespace usher::card::card_wire
