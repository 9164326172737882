// What the channel's tests, fuzz targets and benchmarks talk in: two parties of one installation, made per run.
#pragma once

#include <memory>
#include <mutex>
#include <stdexcept>

#include "channel/handshake_client.h"
#include "channel/handshake_server.h"
#include "crypto/key.h"
#include "crypto/random.h"
#include "identity/issue.h"

namespace usher::channel::test {

inline constexpr Time kNow{Seconds{1'800'000'000}};

/// The value, or the test ends with what went wrong.
template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(std::string(code_of(result.error().fault)) + ": " + std::string(result.error().where) +
                             " (" + result.error().about + ")");
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The fault, or nothing where there was none.
template <class T>
std::optional<Fault> fault_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().fault;
}

/// The same bytes every time: SHA-256 of a seed and a counter.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string_view seed) : seed_(to_bytes(view_of(seed))) {}
  void fill(MutableView out) override {
    const std::lock_guard lock(mutex_);
    for (std::uint8_t& byte : out) {
      if (used_ == block_.size()) {
        const std::uint64_t count = count_++;
        block_ = crypto::sha256({seed_, View{reinterpret_cast<const std::uint8_t*>(&count), sizeof count}});
        used_ = 0;
      }
      byte = block_[used_++];
    }
  }

 private:
  std::mutex mutex_;
  Bytes seed_;
  Hash256 block_{};
  std::size_t used_ = block_.size();
  std::uint64_t count_ = 0;
};

/// A key with its chain: leaf, root.
struct Party {
  std::shared_ptr<const crypto::PrivateKey> key;
  identity::Chain chain;
};

/// One root with a CRL, and who it certified.
class Authority {
 public:
  explicit Authority(std::string name)
      : key_(must(crypto::PrivateKey::generate(crypto::NewKey::p256))),
        root_(must(identity::issue_root({.name = {.common_name = std::move(name)}, .validity = validity()}, key_,
                                        random_))),
        crl_(must(identity::issue_crl({root_, key_}, {.number = 1,
                                                      .this_update = kNow - Seconds{3600},
                                                      .next_update = kNow + Seconds{86'400}}))) {}

  Party certify(identity::Role role, std::string name, std::vector<std::string> dns = {},
                crypto::NewKey kind = crypto::NewKey::p256) {
    auto key = std::make_shared<const crypto::PrivateKey>(must(crypto::PrivateKey::generate(kind)));
    return {key, {must(identity::issue_leaf({root_, key_},
                                            {.role = role, .name = {.common_name = std::move(name)},
                                             .validity = validity(), .dns_names = std::move(dns)},
                                            key->public_key(), random_)),
                  root_}};
  }

  [[nodiscard]] std::shared_ptr<const identity::TrustStore> trust(identity::Role role) const {
    return must(identity::TrustStore::make({.role = role, .anchors = {root_}, .crls = {crl_}}));
  }

 private:
  static identity::Validity validity() { return {kNow - Seconds{86'400}, kNow + Seconds{86'400 * 30}}; }
  crypto::SystemRandom random_;
  crypto::PrivateKey key_;
  identity::Certificate root_;
  identity::Crl crl_;
};

/// One installation: an authority, a server `server.test`, a client, and the settings of both.
struct World {
  Authority authority{"Test root"};
  Party server = authority.certify(identity::Role::server, "server", {"server.test"});
  Party client = authority.certify(identity::Role::client, "client");
  std::shared_ptr<ServerSettings> server_settings = std::make_shared<ServerSettings>(ServerSettings{
      .chain = server.chain, .signer = server.key, .clients = authority.trust(identity::Role::client)});
  std::shared_ptr<ClientSettings> client_settings = std::make_shared<ClientSettings>(
      ClientSettings{.chain = client.chain,
                     .signer = client.key,
                     .servers = authority.trust(identity::Role::server),
                     .name = must(identity::ServerName::from_host("server.test"))});

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
  explicit Handshake(const World& world, Random& random)
      : client(world.client_settings, random), server(world.server_settings, random) {}

  Bytes hello() { return client_hello = must(client.start()); }
  Bytes server_hello() { return server_answer = must(server.on_messages(hello(), kNow)); }
  Bytes keys() { return client_keys = must(client.on_messages(server_hello(), kNow)); }
  Bytes accepted() { return keys_accepted = must(server.on_messages(keys(), kNow)); }
  Bytes finished() { return client_finished = must(client.on_messages(accepted(), kNow)); }
  Bytes server_finished() {
    FinishStep step = must(server.on_record(finished(), kNow));
    if (step.refused) must<void>(std::unexpected(*step.refused));
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

inline Sessions connect(const World& world) {
  static crypto::SystemRandom random;
  return Handshake(world, random).sessions();
}

}  // namespace usher::channel::test
