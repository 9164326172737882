#include "wire/handshake.h"

#include "base/must.h"
#include "wire/codec.h"

namespace usher::wire {
namespace {

constexpr std::size_t kMaxSuites = 32;
constexpr std::size_t kMaxGroups = 16;
constexpr std::size_t kMaxVerifyData = 64;  // bytes

void put_numbers(Writer& out, const std::vector<std::uint16_t>& numbers) {
  Writer list;
  for (const std::uint16_t number : numbers) list.u16(number);
  out.vec16(list.bytes());
}

std::vector<std::uint16_t> get_numbers(Reader& in, std::size_t max) {
  Reader list(in.vec16(2, 2 * max), "numbers");
  std::vector<std::uint16_t> numbers;
  while (list.ok() && !list.empty()) {
    const std::uint16_t number = list.u16();
    if (!list.ok() || std::ranges::find(numbers, number) != numbers.end()) {
      in.refuse();
      return {};
    }
    numbers.push_back(number);
  }
  return numbers;
}

void put_certificates(Writer& out, const std::vector<Bytes>& certificates) {
  must(!certificates.empty() && certificates.size() <= kMaxChainCount);
  out.u8(static_cast<std::uint8_t>(certificates.size()));
  for (const Bytes& certificate : certificates) out.vec16(certificate);
}

std::vector<Bytes> get_certificates(Reader& in) {
  const std::size_t count = in.u8();
  if (count == 0 || count > kMaxChainCount) in.refuse();
  std::vector<Bytes> certificates;
  std::size_t size = 0;
  for (std::size_t i = 0; in.ok() && i < count; ++i) {
    const View der = in.vec16(1, kMaxChainSize - size);
    size += der.size();
    certificates.push_back(to_bytes(der));
  }
  return certificates;
}

void put_extensions(Writer& out, const std::vector<Extension>& extensions) {
  Writer list;
  for (const Extension& extension : extensions) list.u16(extension.type).vec16(extension.data);
  out.vec16(list.bytes());
}

std::vector<Extension> get_extensions(Reader& in) {
  Reader list(in.vec16(), "extensions");
  std::vector<Extension> extensions;
  while (list.ok() && !list.empty()) {
    Extension extension{list.u16(), to_bytes(list.vec16())};
    if (!list.ok() || (!extensions.empty() && extension.type <= extensions.back().type)) {
      in.refuse();
      return {};
    }
    extensions.push_back(std::move(extension));
  }
  return extensions;
}

}  // namespace

Result<Message> take_message(View& in) {
  Reader reader(in, "handshake message");
  const std::uint8_t type = reader.u8();
  const View body = reader.vec24();
  if (!reader.ok() || type < 1 || type > static_cast<std::uint8_t>(MessageType::retry)) {
    return fail(Fault::malformed, "handshake message");
  }
  const std::size_t size = in.size() - reader.left();
  const Message message{static_cast<MessageType>(type), body, in.first(size)};
  in = in.subspan(size);
  return message;
}

Bytes message_of(MessageType type, View body) {
  return Writer().u8(static_cast<std::uint8_t>(type)).vec24(body).bytes();
}

Bytes ClientHello::encode() const {
  Writer out;
  out.u16(kChannelVersion).raw(client_random);
  put_numbers(out, suites);
  put_numbers(out, groups);
  put_extensions(out, extensions);
  return message_of(MessageType::client_hello, out.bytes());
}

Result<ClientHello> ClientHello::decode(View body) {
  Reader in(body, "client hello");
  const std::uint16_t version = in.u16();
  if (in.ok() && version != kChannelVersion) return fail(Fault::unsupported, "client hello: version");
  ClientHello hello;
  hello.client_random = in.array<kRandomSize>();
  hello.suites = get_numbers(in, kMaxSuites);
  hello.groups = get_numbers(in, kMaxGroups);
  hello.extensions = get_extensions(in);
  USHER_CHECK(in.finish());
  return hello;
}

Bytes ServerHello::encode() const {
  Writer out;
  out.u16(kChannelVersion).raw(session).u16(suite).raw(server_random);
  put_certificates(out, certificates);
  out.u16(group).vec16(p).vec16(g).vec16(share);
  put_extensions(out, extensions);
  return message_of(MessageType::server_hello, out.bytes());
}

Result<ServerHello> ServerHello::decode(View body) {
  Reader in(body, "server hello");
  const std::uint16_t version = in.u16();
  if (in.ok() && version != kChannelVersion) return fail(Fault::unsupported, "server hello: version");
  ServerHello hello;
  hello.session = in.array<16>();
  hello.suite = in.u16();
  hello.server_random = in.array<kRandomSize>();
  hello.certificates = get_certificates(in);
  hello.group = in.u16();
  hello.p = to_bytes(in.vec16());
  hello.g = to_bytes(in.vec16());
  hello.share = to_bytes(in.vec16());
  hello.extensions = get_extensions(in);
  USHER_CHECK(in.finish());
  return hello;
}

Bytes Proof::encode(MessageType type) const { return message_of(type, Writer().u16(scheme).vec16(signature).bytes()); }

Result<Proof> Proof::decode(View body) {
  Reader in(body, "proof");
  Proof proof;
  proof.scheme = in.u16();
  proof.signature = to_bytes(in.vec16(1, kMaxSignature));
  USHER_CHECK(in.finish());
  return proof;
}

Bytes ClientKeys::encode() const {
  return message_of(MessageType::client_keys, Writer().raw(session).vec16(share).bytes());
}

Result<ClientKeys> ClientKeys::decode(View body) {
  Reader in(body, "client keys");
  ClientKeys keys;
  keys.session = in.array<16>();
  keys.share = to_bytes(in.vec16());
  USHER_CHECK(in.finish());
  return keys;
}

Bytes ClientCertificate::encode() const {
  Writer out;
  put_certificates(out, certificates);
  return message_of(MessageType::client_certificate, out.bytes());
}

Result<ClientCertificate> ClientCertificate::decode(View body) {
  Reader in(body, "client certificate");
  ClientCertificate certificate{get_certificates(in)};
  USHER_CHECK(in.finish());
  return certificate;
}

Bytes Finished::encode(MessageType type) const { return message_of(type, verify_data); }

Result<Finished> Finished::decode(View body) {
  if (body.empty() || body.size() > kMaxVerifyData) return fail(Fault::malformed, "finished");
  return Finished{to_bytes(body)};
}

Bytes Retry::encode() const { return message_of(MessageType::retry, Writer().vec16(cookie).bytes()); }

Result<Retry> Retry::decode(View body) {
  Reader in(body, "retry");
  Retry retry;
  retry.cookie = to_bytes(in.vec16(1, kMaxCookie));
  USHER_CHECK(in.finish());
  return retry;
}

Bytes encode_keys_accepted() { return message_of(MessageType::keys_accepted, {}); }

Result<Id128> session_of_keys(View body) {
  USHER_TRY(const Message message, take_message(body));
  if (message.type != MessageType::client_keys) return fail(Fault::unexpected_message, "client keys");
  USHER_TRY(const ClientKeys keys, ClientKeys::decode(message.body));
  return keys.session;
}

}  // namespace usher::wire
