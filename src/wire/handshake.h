// wire/handshake: the messages of the handshake.  Spec: channel.md §4.
//
//   u8 type ‖ vec24 body; messages follow each other directly.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::wire {

inline constexpr std::uint16_t kChannelVersion = 1;
inline constexpr std::size_t kMaxClientHello = 4'096;   // bytes of the HTTP body, §4
inline constexpr std::size_t kMaxServerHello = 24'576;  // with its ServerProof
inline constexpr std::size_t kMaxClientKeys = 24'576;   // with its record
inline constexpr std::size_t kMaxChainCount = 4;
inline constexpr std::size_t kMaxChainSize = 16'384;  // bytes of DER in all
inline constexpr std::size_t kMaxSignature = 1'024;   // bytes
inline constexpr std::size_t kRandomSize = 28;

using ChannelRandom = std::array<std::uint8_t, kRandomSize>;

enum class MessageType : std::uint8_t {
  client_hello = 1,
  server_hello,
  server_proof,
  client_keys,
  client_certificate,
  client_proof,
  keys_accepted,
  client_finished,
  server_finished,
  retry,
};

/// One message in the clear. Views borrow from the input.
struct Message {
  MessageType type;
  View body;
  View whole;  // type, length and body: the bytes that enter the transcript
};
/// Removes the first message from `in`. Errors: malformed (cut short, an unknown type).
[[nodiscard]] Result<Message> take_message(View& in);
/// A whole message: type, length and body.
[[nodiscard]] Bytes message_of(MessageType type, View body);

inline constexpr std::uint16_t kExtensionCookie = 1;  // the cookie of a Retry, in the second ClientHello
inline constexpr std::size_t kMaxCookie = 255;        // bytes

struct Extension {
  std::uint16_t type = 0;
  Bytes data;
  bool operator==(const Extension&) const = default;
};

// Each encode() returns the whole message, each decode() takes its body. Errors: malformed; unsupported (the version).

struct ClientHello {
  ChannelRandom client_random{};
  std::vector<std::uint16_t> suites;  // 1..32, no repetition
  std::vector<std::uint16_t> groups;  // 1..16, no repetition
  std::vector<Extension> extensions;  // types strictly ascending
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<ClientHello> decode(View body);
  bool operator==(const ClientHello&) const = default;
};

struct ServerHello {
  Id128 session{};
  std::uint16_t suite = 0;
  ChannelRandom server_random{};
  std::vector<Bytes> certificates;  // DER, leaf first, 1..4
  std::uint16_t group = 0;
  Bytes p;
  Bytes g;
  Bytes share;  // Y
  std::vector<Extension> extensions;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<ServerHello> decode(View body);
  bool operator==(const ServerHello&) const = default;
};

/// ServerProof and ClientProof.
struct Proof {
  std::uint16_t scheme = 0;
  Bytes signature;  // 1..1024 bytes
  [[nodiscard]] Bytes encode(MessageType type) const;
  [[nodiscard]] static Result<Proof> decode(View body);
  bool operator==(const Proof&) const = default;
};

struct ClientKeys {
  Id128 session{};
  Bytes share;  // X
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<ClientKeys> decode(View body);
  bool operator==(const ClientKeys&) const = default;
};

struct ClientCertificate {
  std::vector<Bytes> certificates;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<ClientCertificate> decode(View body);
  bool operator==(const ClientCertificate&) const = default;
};

/// ClientFinished and ServerFinished.
struct Finished {
  Bytes verify_data;  // 1..64 bytes; the suite determines the number
  [[nodiscard]] Bytes encode(MessageType type) const;
  [[nodiscard]] static Result<Finished> decode(View body);
  bool operator==(const Finished&) const = default;
};

struct Retry {
  Bytes cookie;  // 1..255 bytes
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Retry> decode(View body);
  bool operator==(const Retry&) const = default;
};

/// KeysAccepted has an empty body.
[[nodiscard]] Bytes encode_keys_accepted();

/// The session in the body of `POST /api/keys`, to find its handshake. Reads only the first message of the body.
/// Errors: malformed; unexpected_message (the first message is not ClientKeys).
[[nodiscard]] Result<Id128> session_of_keys(View body);

}  // namespace usher::wire
