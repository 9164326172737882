// A puppet against a real machine, up to the machine's judgement of it.
#pragma once

#include <gtest/gtest.h>

#include "attacks/channel/puppet.h"

namespace usher::channel::test {

/// Runs the puppet server against a real client up to the client's judgement of ServerHello.
inline Result<Bytes> judged_by_client(const World& world, PuppetServer& server) {
  ClientHandshake client(world.client_settings, usher::test::randomness());
  const Bytes answer = server.answer(must(client.start()));
  auto result = client.on_messages(answer, kNow);
  EXPECT_EQ(result.has_value(), !client.closed());
  return result;
}

/// Runs the puppet client against a real server up to the server's judgement of ClientKeys.
inline Result<Bytes> judged_by_server(const World& world, PuppetClient& client) {
  ServerHandshake server(world.server_settings, usher::test::randomness());
  const Bytes keys = client.keys(must(server.on_messages(client.start(), kNow)));
  auto result = server.on_messages(keys, kNow);
  EXPECT_EQ(result.has_value(), !server.closed());
  return result;
}

}  // namespace usher::channel::test
