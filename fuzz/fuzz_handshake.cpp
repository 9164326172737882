// The messages of the handshake, channel.md §4, and both machines: a closed machine stays closed, whatever arrives. The
// first byte chooses what reads the rest.
// Links: channel
#include "round_trip.h"
#include "unit/channel/world.h"

using namespace usher;
using namespace usher::channel::test;

namespace {

template <class T>
void one_message(wire::MessageType type, const Result<T>& decoded, View whole) {
  if (!decoded) return;
  if constexpr (requires { decoded->encode(type); })
    fuzz::must(same(decoded->encode(type), whole));
  else
    fuzz::must(same(decoded->encode(), whole));
}

void every_message(View in) {
  while (!in.empty()) {
    const auto message = wire::take_message(in);
    if (!message) return;
    switch (message->type) {
      case wire::MessageType::client_hello:
        one_message(message->type, wire::ClientHello::decode(message->body), message->whole);
        break;
      case wire::MessageType::server_hello:
        one_message(message->type, wire::ServerHello::decode(message->body), message->whole);
        break;
      case wire::MessageType::server_proof:
      case wire::MessageType::client_proof:
        one_message(message->type, wire::Proof::decode(message->body), message->whole);
        break;
      case wire::MessageType::client_keys:
        one_message(message->type, wire::ClientKeys::decode(message->body), message->whole);
        break;
      case wire::MessageType::client_certificate:
        one_message(message->type, wire::ClientCertificate::decode(message->body), message->whole);
        break;
      case wire::MessageType::client_finished:
      case wire::MessageType::server_finished:
        one_message(message->type, wire::Finished::decode(message->body), message->whole);
        break;
      case wire::MessageType::keys_accepted:
      case wire::MessageType::retry:
        break;
    }
  }
}

/// An error closes the machine, and it accepts nothing more. Made-up input never gets a server past the client's proof.
template <class Machine>
void judged(Machine& machine, View input) {
  const auto answer = machine.on_messages(input, kNow);
  fuzz::must(answer.has_value() != machine.closed());
  if (answer) return;
  fuzz::must(!machine.on_messages(input, kNow).has_value());
  fuzz::must(machine.closed());
}

const World& world() {
  static const World kWorld = World::copy();
  return kWorld;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View input(data + 1, size - 1);
  fuzz::either_way(wire::session_of_keys(input));
  switch (data[0] % 4) {
    case 0:
      every_message(input);
      break;
    case 1: {
      channel::ServerHandshake server(world().server_settings, usher::test::randomness());
      judged(server, input);
      break;
    }
    case 2: {
      channel::ClientHandshake client(world().client_settings, usher::test::randomness());
      fuzz::either_way(client.start());
      judged(client, input);
      break;
    }
    default: {
      Handshake both(world());
      fuzz::either_way(both.server_hello());
      // The sender has seen the session's number on the wire.
      Bytes keys = to_bytes(input);
      if (keys.size() >= 20) std::ranges::copy(both.server.session(), keys.begin() + 4);
      judged(both.server, keys);
      fuzz::must(both.server.closed());
    }
  }
  return 0;
}
