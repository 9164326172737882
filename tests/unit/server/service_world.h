// A whole server without sockets, and listeners that talk to it through its HTTP handler.
#pragma once

#include <functional>

#include "server/http/media_channel.h"
#include "server/http/router.h"
#include "store/sqlite/sqlite_store.h"
#include "unit/channel/world.h"
#include "unit/media/fixtures.h"

namespace usher::server::test {

using usher::test::Authority;
using usher::test::Identity;
using usher::test::kNow;
using usher::test::must;
using usher::test::randomness;

inline const channel::test::World& channel_world() {
  static const channel::test::World world = channel::test::World::copy();
  return world;
}

/// A card hierarchy of the generic profile, and people in it.
struct People {
  Authority root = Authority::root("card root");
  Identity ana = person("Ana", "1");
  Identity rui = person("Rui", "2");

  [[nodiscard]] Identity person(const std::string& name, const std::string& number) const {
    return root.leaf({.role = pki::Role::person, .name = {.common_name = name, .serial_number = number}});
  }
  static const People& get() {
    static const People people;
    return people;
  }
};

/// The event and its fields, as JSON lines.
class MemoryLog final : public Log {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void write(Level level, std::string_view event, Fields fields) override {
    const std::scoped_lock lock(mutex_);
    text_ += json_line(level, event, fields, "") + "\n";
  }
  [[nodiscard]] std::string text() const {
    const std::scoped_lock lock(mutex_);
    return text_;
  }
  /// Lines of this event.
  [[nodiscard]] int count(std::string_view event) const {
    const std::string all = text();
    const std::string wanted = "\"event\":\"" + std::string(event) + "\"";
    int found = 0;
    for (std::size_t at = all.find(wanted); at != std::string::npos; at = all.find(wanted, at + 1)) ++found;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

inline constexpr std::uint32_t kChunkSize = media::kMinChunkSize;
inline constexpr std::uint64_t kChunks = 20;

/// Listeners acquire as many licences as they want.
inline service::ServicePolicy open_policy() {
  return {.acquisition = store::AcquisitionLimit{}, .bind_installation = true};
}

struct World {
  explicit World(SessionLimits limits = {}, const service::ServicePolicy& service_policy = open_policy())
      : sessions_limits(limits) {
    policy.set(std::make_shared<const service::ServicePolicy>(service_policy));
    add_medium(1);
  }

  Id128 add_medium(std::uint8_t seed) {
    const auto source = media::memory_source(media::test::noise(kChunkSize * kChunks - 7, seed));
    const media::Manifest manifest = media::test::manifest_of(*source, kChunkSize, seed);
    const auto signed_manifest =
        must(vault.import(media::memory_source(media::test::release_of(*source, manifest)),
                          media::PrivateKeyUnwrapper(media::test::p256_key()), [](const auto&) { return Result<>(); }));
    store::MediumRecord medium;
    medium.id = manifest.medium;
    medium.manifest = signed_manifest.hash();
    medium.object = manifest.object;
    medium.chunk_size = manifest.chunk_size;
    medium.extent = manifest.extent();
    medium.size = manifest.size;
    must(store->add_medium(medium, clock.now()));
    return medium.id;
  }

  static std::shared_ptr<const Authorities> make_authorities() {
    auto made = std::make_shared<Authorities>();
    made->channel = channel_world().server_settings;
    const Authority& root = People::get().root;
    made->persons.push_back({person::generic_profile(), usher::test::trust(pki::Role::person, root, {root.crl()})});
    return made;
  }
  static service::LicenceIssuer make_issuer() {
    static const auto key = std::make_shared<const crypto::PrivateKey>(usher::test::new_key());
    return {.server_id = "test", .signer = key, .public_keys = {key->public_key().spki()}};
  }

  SessionLimits sessions_limits;
  media::test::Directory directory;
  ManualClock clock{kNow};
  MemoryLog log;
  Metrics metrics;
  std::unique_ptr<store::Store> store = must(store::open_sqlite(directory.path / "usher.db", randomness()));
  media::Vault vault = must(media::Vault::open(directory.path / "media", media::test::vault_key(), randomness()));
  Guarded<Authorities> authorities{make_authorities()};
  Guarded<channel::ServerSettings> settings{authorities.get()->channel};
  Guarded<service::ServicePolicy> policy{nullptr};
  person::PseudonymKey pseudonyms{crypto::Secret(person::PseudonymKey::kSize)};
  std::vector<std::string> ended;
  SessionTable sessions{sessions_limits, [this](const LiveSession&, std::string_view why) { ended.emplace_back(why); }};
  std::vector<Id128> unreadable;
  service::MediaService media{{.store = *store,
                               .vault = vault,
                               .issuer = make_issuer(),
                               .random = randomness(),
                               .policy = policy,
                               .unreadable = [this](const Id128& id, const Error&) { unreadable.push_back(id); }}};
  Router router{{.media = media,
                 .store = *store,
                 .sessions = sessions,
                 .authorities = authorities,
                 .pseudonyms = pseudonyms,
                 .clock = clock,
                 .log = log,
                 .metrics = metrics}};
  ChannelDriver driver{{.sessions = sessions,
                        .router = router,
                        .settings = settings,
                        .clock = clock,
                        .random = randomness(),
                        .log = log,
                        .metrics = metrics}};
  Guarded<Bytes> served_lists{std::make_shared<const Bytes>(Bytes{0})};
  MediaChannel channel{driver, served_lists, metrics, log};
};

/// One request as a listener over HTTP would see it.
inline HttpResponse send(World& world, HttpRequest request) {
  Admission admission = world.channel.admit(request);
  if (auto* refusal = std::get_if<HttpResponse>(&admission)) return std::move(*refusal);
  if (request.body.size() > std::get<std::size_t>(admission)) return world.channel.refuse(413, "too-long", request);
  return world.channel.handle(std::move(request));
}
inline HttpRequest post(std::string path, std::string_view type, Bytes body) {
  HttpRequest request;
  request.method = Method::post;
  request.path = std::move(path);
  request.content_type = type;
  request.body = std::move(body);
  return request;
}
inline Bytes exchanged(World& world, const std::string& path, std::string_view type, Bytes body) {
  HttpResponse response = send(world, post(path, type, std::move(body)));
  if (response.status != 200) throw std::runtime_error("HTTP " + std::to_string(response.status));
  return std::move(response.body);
}

/// A server's answer to the body of one POST; throws if the status is not 200.
using Exchange = std::function<Bytes(const std::string& path, std::string_view type, Bytes body)>;

/// A listener with an open channel.
class Listener {
 public:
  /// `exchange`: another way to a server than the world's own handler.
  explicit Listener(World& world, std::shared_ptr<const channel::ClientSettings> settings = nullptr,
                    Exchange exchange = {})
      : world_(world),
        settings_(settings ? std::move(settings) : channel_world().client_settings),
        exchange_(std::move(exchange)) {
    if (!exchange_) {
      exchange_ = [&world](const std::string& path, std::string_view type, Bytes body) {
        return exchanged(world, path, type, std::move(body));
      };
    }
    channel::ClientHandshake machine(settings_, randomness());
    const Time now = world.clock.now();
    const Bytes hello = exchange_("/api/protocols", kTypeHandshake, must(machine.start()));
    const Bytes accepted = exchange_("/api/keys", kTypeHandshake, must(machine.on_messages(hello, now)));
    session = must(machine.on_record(exchange_("/", kTypeRecord, must(machine.on_messages(accepted, now))), now));
  }

  using Answer = Result<channel::Response>;
  [[nodiscard]] Answer ask(std::string_view path, View body = {}, std::vector<wire::Parameter> parameters = {}) {
    auto sealed = must(session->seal_request(path, std::move(parameters), body));
    last_record = sealed.record;
    return session->open_response(exchange_("/", kTypeRecord, std::move(sealed.record)));
  }
  [[nodiscard]] Answer ask_once(std::string_view path, View body, const Id128& operation = randomness().id()) {
    return ask(path, body, {{"operation", to_bytes(operation)}});
  }
  [[nodiscard]] wire::Status status(std::string_view path, View body = {},
                                    std::vector<wire::Parameter> parameters = {}) {
    return must(ask(path, body, std::move(parameters))).status();
  }
  [[nodiscard]] wire::Status status_once(std::string_view path, View body) {
    return must(ask_once(path, body)).status();
  }

  [[nodiscard]] Bytes auth_body(const Identity& person) const {
    const person::LoginTerms terms{.server_key = session->peer().certificate().key_fingerprint(),
                                   .installation = settings_->chain.front().fingerprint(),
                                   .now = world_.clock.now()};
    const auto login = must(person::PersonSession::create(person.key, {person.certificate}, terms, randomness()));
    return must(login.bind(must(session->exporter("person")))).encode();
  }
  [[nodiscard]] wire::Status log_in(const Identity& person = People::get().ana) {
    const auto response = must(ask("api/auth", auth_body(person)));
    if (response.ok()) me = must(wire::Authenticated::decode(response.body()));
    return response.status();
  }
  [[nodiscard]] wire::LicenceEntry acquire(const Id128& medium, std::uint64_t plays = 1) {
    const auto response = must(ask_once("api/license", wire::Acquire{medium, 1, plays}.encode()));
    return must(wire::LicenceEntry::decode(response.body()));
  }
  [[nodiscard]] wire::Opened open(const Id128& medium) {
    const auto response = must(ask_once("api/play/open", wire::Open{.medium = medium, .licence = {}}.encode()));
    return must(wire::Opened::decode(response.body()));
  }

  std::unique_ptr<channel::ClientSession> session;
  wire::Authenticated me;
  Bytes last_record;

 private:
  World& world_;
  std::shared_ptr<const channel::ClientSettings> settings_;
  Exchange exchange_;
};

inline constexpr Id128 kMedium = [] {
  Id128 id{};
  id.fill(1);
  return id;
}();

}  // namespace usher::server::test
