// Shared by the channel's tests, fuzz targets and benchmarks: two parties of one installation, made per run.
#pragma once

#include <memory>

#include "channel/handshake_client.h"
#include "channel/handshake_server.h"
#include "support/pki.h"

namespace usher::channel::test {

using usher::test::Authority;
using usher::test::kNow;
using usher::test::must;

/// The fault, or nothing if there was no error.
template <class T>
std::optional<Fault> fault_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().fault;
}

/// A key with its chain: leaf, root.
struct Party {
  std::shared_ptr<const crypto::PrivateKey> key;
  pki::Chain chain;
};

inline Party party(const Authority& authority, pki::Role role, crypto::NewKey kind = crypto::NewKey::p256,
                   const std::string& host = "server.test") {
  pki::LeafRequest request{.role = role};
  if (role == pki::Role::server) request.dns_names = {host};
  auto made = authority.leaf(std::move(request), kind);
  return {std::make_shared<const crypto::PrivateKey>(std::move(made.key)), {made.certificate, authority.certificate}};
}

/// One installation: an authority, a server `server.test`, a client, and the settings of both.
struct World {
  Authority authority = Authority::root();
  Party server = party(authority, pki::Role::server);
  Party client = party(authority, pki::Role::client);
  std::shared_ptr<ServerSettings> server_settings = std::make_shared<ServerSettings>(
      ServerSettings{.chain = server.chain, .signer = server.key, .clients = trust(pki::Role::client)});
  std::shared_ptr<ClientSettings> client_settings =
      std::make_shared<ClientSettings>(ClientSettings{.chain = client.chain,
                                                      .signer = client.key,
                                                      .servers = trust(pki::Role::server),
                                                      .name = must(pki::ServerName::from_host("server.test"))});

  [[nodiscard]] std::shared_ptr<const pki::TrustStore> trust(pki::Role role) const {
    return usher::test::trust(role, authority, {authority.crl()});
  }
  void set_server(const Party& with) {
    server_settings->chain = with.chain;
    server_settings->signer = with.key;
  }
  void set_client(const Party& with) {
    client_settings->chain = with.chain;
    client_settings->signer = with.key;
  }

  /// Keys and certificates are made once a run; settings are copied, so that a test can change its own.
  static World copy() {
    static const World kWorld;
    World world = kWorld;
    world.server_settings = std::make_shared<ServerSettings>(*kWorld.server_settings);
    world.client_settings = std::make_shared<ClientSettings>(*kWorld.client_settings);
    return world;
  }
  /// Both sides know one suite and the groups.
  static World with(const Suite& suite) {
    World world = copy();
    world.client_settings->suites = {&suite};
    return world;
  }
};

/// The two ends of one session.
struct Sessions {
  std::unique_ptr<ClientSession> client;
  std::unique_ptr<ServerSession> server;
};

/// The two machines, and each message that goes between them.
struct Handshake {
  explicit Handshake(const World& world, Random& random = usher::test::randomness())
      : client(world.client_settings, random), server(world.server_settings, random) {}

  Bytes hello() { return client_hello = must(client.start()); }
  Bytes server_hello() { return server_answer = must(server.on_messages(hello(), kNow)); }
  Bytes keys() { return client_keys = must(client.on_messages(server_hello(), kNow)); }
  Bytes accepted() { return keys_accepted = must(server.on_messages(keys(), kNow)); }
  Bytes finished() { return client_finished = must(client.on_messages(accepted(), kNow)); }
  Bytes server_finished() {
    FinishStep step = must(server.on_record(finished(), kNow));
    if (step.refused) must(Result<>(std::unexpected(*step.refused)));
    server_session = std::move(step.session);
    return server_finished_record = step.answer;
  }
  Sessions sessions() {
    const Bytes last = server_finished();
    return {must(client.on_record(last, kNow)), std::move(server_session)};
  }

  ClientHandshake client;
  ServerHandshake server;
  Bytes client_hello, server_answer, client_keys, keys_accepted, client_finished, server_finished_record;
  std::unique_ptr<ServerSession> server_session;
};

inline Sessions connect(const World& world) { return Handshake(world).sessions(); }

}  // namespace usher::channel::test
