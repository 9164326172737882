// The messages of the handshake.  Spec: channel.md §4.
#include "wire/handshake.h"

#include <gtest/gtest.h>

#include "wire/codec.h"

namespace usher::wire {
namespace {

ClientHello client_hello() {
  return {.client_random = {1, 2, 3},
          .suites = {0x0101, 0x0007},
          .groups = {0x001d, 0x0100},
          .extensions = {{1, {9}}, {7, {}}}};
}

ServerHello server_hello() {
  return {.session = {4},
          .suite = 0x0101,
          .server_random = {5},
          .certificates = {{0x30, 0x00}, {0x30, 0x01, 0x02}},
          .group = 0x001d,
          .p = {},
          .g = {},
          .share = Bytes(32, 6),
          .extensions = {}};
}

/// What decode makes of the body of a message.
template <class T>
Result<T> again(const Bytes& encoded) {
  View in = encoded;
  USHER_TRY(const Message message, take_message(in));
  EXPECT_TRUE(in.empty());
  return T::decode(message.body);
}

template <class T>
std::optional<Fault> fault(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().fault;
}

TEST(HandshakeMessages, AreWhatWasEncoded) {
  EXPECT_EQ(*again<ClientHello>(client_hello().encode()), client_hello());
  EXPECT_EQ(*again<ServerHello>(server_hello().encode()), server_hello());
  const Proof proof{0x0403, {1, 2, 3}};
  EXPECT_EQ(*again<Proof>(proof.encode(MessageType::client_proof)), proof);
  const ClientKeys keys{{8}, Bytes(256, 3)};
  EXPECT_EQ(*again<ClientKeys>(keys.encode()), keys);
  const ClientCertificate certificate{{{1}, {2, 2}}};
  EXPECT_EQ(*again<ClientCertificate>(certificate.encode()), certificate);
  const Finished finished{Bytes(48, 7)};
  EXPECT_EQ(*again<Finished>(finished.encode(MessageType::client_finished)), finished);
  EXPECT_EQ(encode_keys_accepted(), (Bytes{7, 0, 0, 0}));
}

TEST(HandshakeMessages, HaveTheBytesOfTheSpecification) {
  const Bytes encoded = client_hello().encode();
  // type, 24-bit length; version, random, suites, groups, extensions
  EXPECT_EQ(encoded.size(), 4U + 2 + 28 + 2 + 4 + 2 + 4 + 2 + 5 + 4);
  EXPECT_EQ(Bytes(encoded.begin(), encoded.begin() + 9), (Bytes{1, 0, 0, 53, 0, 1, 1, 2, 3}));
  EXPECT_EQ(Bytes(encoded.begin() + 34, encoded.end()),
            (Bytes{0, 4, 1, 1, 0, 7, 0, 4, 0, 0x1d, 1, 0, 0, 9, 0, 1, 0, 1, 9, 0, 7, 0, 0}));
}

TEST(HandshakeMessages, EveryShorterBeginningIsMalformed) {
  for (const Bytes& whole : {client_hello().encode(), server_hello().encode(), ClientKeys{{8}, {1, 2}}.encode()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      View in = View{whole}.first(size);
      EXPECT_EQ(fault(take_message(in)), Fault::malformed);
    }
    // The body alone, cut short: the lengths inside no longer fit.
    const View body = View{whole}.subspan(4);
    for (std::size_t size = 0; size < body.size(); ++size) {
      if (whole[0] == 1) {
        EXPECT_EQ(fault(ClientHello::decode(body.first(size))), Fault::malformed) << size;
      }
      if (whole[0] == 2) {
        EXPECT_EQ(fault(ServerHello::decode(body.first(size))), Fault::malformed) << size;
      }
      if (whole[0] == 4) {
        EXPECT_EQ(fault(ClientKeys::decode(body.first(size))), Fault::malformed) << size;
      }
    }
  }
}

TEST(HandshakeMessages, AnUnknownTypeIsMalformed) {
  for (const std::uint8_t type : Bytes{0, 11, 255}) {
    const Bytes bytes{type, 0, 0, 0};
    View in = bytes;
    EXPECT_EQ(fault(take_message(in)), Fault::malformed);
  }
}

TEST(ClientHelloMessage, OfAnotherVersionIsUnsupported) {
  Bytes encoded = client_hello().encode();
  encoded[5] = 2;
  EXPECT_EQ(fault(again<ClientHello>(encoded)), Fault::unsupported);
}

TEST(ClientHelloMessage, RepeatedSuitesOrGroupsAreMalformed) {
  ClientHello hello = client_hello();
  hello.suites = {1, 2, 1};
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
  hello = client_hello();
  hello.groups = {0x1d, 0x1d};
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
}

TEST(ClientHelloMessage, TooManyOrNoSuitesOrGroupsAreMalformed) {
  ClientHello hello = client_hello();
  hello.suites.clear();
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
  for (std::uint16_t i = 0; i < 33; ++i) hello.suites.push_back(i);
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
  hello.suites.pop_back();
  EXPECT_TRUE(again<ClientHello>(hello.encode()).has_value());
  hello.groups.clear();
  for (std::uint16_t i = 0; i < 17; ++i) hello.groups.push_back(i);
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
}

TEST(ClientHelloMessage, AnOddListIsMalformed) {
  Writer body;
  body.u16(1).raw(Bytes(28)).vec16(Bytes{1, 1, 1}).vec16(Bytes{0, 0x1d}).vec16({});
  EXPECT_EQ(fault(ClientHello::decode(body.bytes())), Fault::malformed);
}

TEST(ClientHelloMessage, ExtensionsOutOfOrderAreMalformed) {
  ClientHello hello = client_hello();
  hello.extensions = {{2, {}}, {1, {}}};
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
  hello.extensions = {{2, {}}, {2, {}}};
  EXPECT_EQ(fault(again<ClientHello>(hello.encode())), Fault::malformed);
}

TEST(ServerHelloMessage, NoneOrFiveOrEmptyOrTooLargeCertificatesAreMalformed) {
  const auto body_with = [](std::uint8_t count, std::initializer_list<Bytes> certificates) {
    Writer body;
    body.u16(1).raw(Bytes(16)).u16(0x0101).raw(Bytes(28)).u8(count);
    for (const Bytes& each : certificates) body.vec16(each);
    return std::move(body.u16(0x1d).vec16({}).vec16({}).vec16(Bytes(32)).vec16({})).take();
  };
  EXPECT_TRUE(ServerHello::decode(body_with(1, {{1}})).has_value());
  EXPECT_EQ(fault(ServerHello::decode(body_with(0, {}))), Fault::malformed);
  EXPECT_EQ(fault(ServerHello::decode(body_with(5, {{1}, {1}, {1}, {1}, {1}}))), Fault::malformed);
  EXPECT_EQ(fault(ServerHello::decode(body_with(1, {{}}))), Fault::malformed);
  EXPECT_TRUE(ServerHello::decode(body_with(2, {Bytes(16'000), Bytes(384)})).has_value());
  EXPECT_EQ(fault(ServerHello::decode(body_with(2, {Bytes(16'000), Bytes(385)}))), Fault::malformed);
}

TEST(ProofMessage, AnEmptyOrTooLongSignatureIsMalformed) {
  const auto decoded = [](std::size_t size) {
    return again<Proof>(Proof{1, Bytes(size)}.encode(MessageType::client_proof));
  };
  EXPECT_EQ(fault(decoded(0)), Fault::malformed);
  EXPECT_TRUE(decoded(1024).has_value());
  EXPECT_EQ(fault(decoded(1025)), Fault::malformed);
}

TEST(SessionOfKeys, IsReadFromClientKeysAlone) {
  Bytes body = ClientKeys{{8, 9}, {1}}.encode();
  append(body, Bytes{1, 2, 3});  // the record is parsed by other code
  EXPECT_EQ(*session_of_keys(body), (Id128{8, 9}));
  EXPECT_EQ(fault(session_of_keys(client_hello().encode())), Fault::unexpected_message);
  EXPECT_EQ(fault(session_of_keys({})), Fault::malformed);
}

}  // namespace
}  // namespace usher::wire
