#include "usherd/config/trust_files.h"

#include "channel/suite.h"
#include "usherd/config/file_keys.h"

namespace usher::usherd {
namespace {

using TrustPtr = std::shared_ptr<const pki::TrustStore>;

app::PathOf paths_of(const Config& config) {
  return [&config](const std::string& name) { return config.path_of(name); };
}

/// The newest lists that this home has seen. `store`: nullptr, none are known. `raise`: record newer ones.
struct Marks {
  store::Store* store = nullptr;
  bool raise = true;
};

/// `mapping`: used if the keys configure none.
Result<TrustPtr> load_trust(const Config& config, const app::TrustKeys& keys, const SourceKeys& sources, pki::Role role,
                            std::optional<pki::RoleMapping> mapping, const Fetched& fetched, const Marks& marks) {
  USHER_TRY(pki::TrustConfig trust, app::load_trust_config(keys, role, paths_of(config)));
  if (!trust.mapping) trust.mapping = std::move(mapping);
  connect(trust, sources, fetched);
  USHER_TRY(pki::RevocationFloor floor, stored_floor(trust.crls, marks.store));
  auto made = pki::TrustStore::make(std::move(trust), floor);
  if (!made) {
    made.error().about = std::string(name_of(role)) + ": " + made.error().about;
    return made;
  }
  if (marks.raise) USHER_CHECK(store_floor((*made)->raised(std::move(floor)), marks.store));
  return made;
}

Result<server::PersonSource> load_person(const Config& config, person::Profile profile, const PersonKeys& keys,
                                         const Fetched& fetched, const Marks& marks) {
  if (!keys.organisations.empty()) profile.organisations = keys.organisations;
  if (!keys.issuer_organisations.empty()) profile.issuer_organisations = keys.issuer_organisations;
  if (!keys.trust.eku.empty() || keys.trust.accept_without_eku) profile.require_person_eku = false;
  USHER_TRY(TrustPtr trust,
            load_trust(config, keys.trust, keys.sources, pki::Role::person, profile.mapping, fetched, marks));
  return server::PersonSource{std::move(profile), std::move(trust)};
}

Result<std::shared_ptr<const channel::ServerSettings>> load_channel(const Config& config, Keyring& keys,
                                                                    TrustPtr clients, Time now) {
  USHER_TRY(KeyPair own, load_pair(config, config.server_certificate, config.server_key, keys));
  const pki::Certificate& leaf = own.chain.front();
  if (leaf.not_after() <= now) {
    return fail(Fault::certificate_expired, "server certificate", config.server_certificate);
  }
  if (leaf.not_before() > now) {
    return fail(Fault::certificate_not_yet_valid, "server certificate", config.server_certificate);
  }
  auto settings = std::make_shared<channel::ServerSettings>();
  if (!config.suites.empty()) {
    USHER_TRY(settings->suites, channel::suite_order(config.suites));
  }
  if (!config.groups.empty()) {
    USHER_TRY(settings->groups, channel::group_order(config.groups));
  }
  settings->chain = std::move(own.chain);
  settings->signer = std::move(own.key);
  settings->clients = std::move(clients);
  settings->handshake_time = Seconds(config.handshake_seconds);
  return settings;
}

}  // namespace

std::vector<std::string> names_of(const Config& config, const pki::Certificate& leaf) {
  std::vector<std::string> names = config.names;
  for (const std::string& name : leaf.dns_names()) names.push_back(name);
  for (const pki::IpAddress& address : leaf.ip_addresses()) names.push_back(address.text());
  return names;
}

Result<TrustPtr> load_distributors(const Config& config, const Fetched& fetched, store::Store* store) {
  if (config.distributor.anchors.empty()) {
    return fail(Fault::bad_config, "trust: distributor", "trust.distributor.anchors must name a file");
  }
  return load_trust(config, config.distributor, {}, pki::Role::distributor, std::nullopt, fetched, {store});
}

ReadTrust read_trust(const Config& config, const Fetched& fetched, store::Store* store, Problems& problems) {
  const Marks marks{.store = store, .raise = false};
  const auto take = [&](auto loaded, const auto& use) {
    if (loaded) {
      use(*std::move(loaded));
    } else {
      problems.push_back(std::move(loaded).error());
    }
  };
  ReadTrust read;
  const auto add = [&](server::PersonSource source) { read.persons.push_back(std::move(source)); };
  if (!config.client.anchors.empty()) {
    take(load_trust(config, config.client, config.client_sources, pki::Role::client, std::nullopt, fetched, marks),
         [&](TrustPtr trust) { read.clients = std::move(trust); });
  }
  if (!config.citizen.trust.anchors.empty()) {
    take(load_person(config, person::citizen_card_profile(), config.citizen, fetched, marks), add);
  }
  if (!config.generic.trust.anchors.empty()) {
    take(load_person(config, person::generic_profile(config.generic.subject_field), config.generic, fetched, marks),
         add);
  }
  if (!config.distributor.anchors.empty()) {
    take(load_trust(config, config.distributor, {}, pki::Role::distributor, std::nullopt, fetched, marks),
         [&](TrustPtr trust) { read.distributors = std::move(trust); });
  }
  return read;
}

Result<std::vector<server::PersonSource>> load_persons(const Config& config, const Fetched& fetched,
                                                       store::Store* store) {
  std::vector<server::PersonSource> sources;
  if (!config.citizen.trust.anchors.empty()) {
    USHER_TRY(auto source, load_person(config, person::citizen_card_profile(), config.citizen, fetched, {store}));
    sources.push_back(std::move(source));
  }
  if (!config.generic.trust.anchors.empty()) {
    USHER_TRY(auto source, load_person(config, person::generic_profile(config.generic.subject_field), config.generic,
                                       fetched, {store}));
    sources.push_back(std::move(source));
  }
  return sources;
}

namespace {

/// licence.md §3.1.
std::optional<store::AcquisitionLimit> acquisition_of(const Config& config) {
  if (config.acquisition == "open") {
    return store::AcquisitionLimit{.licences = static_cast<std::uint32_t>(config.open_licences), .plays = {}};
  }
  if (config.acquisition == "quota") {
    return store::AcquisitionLimit{.licences = {}, .plays = static_cast<std::uint32_t>(config.quota_plays)};
  }
  return std::nullopt;
}

}  // namespace

Result<server::ServerSnapshot> load_snapshot(const Config& config, Keyring& keys, const Fetched& fetched,
                                             store::Store* store, const media::Vault* vault, const Clock& clock) {
  auto authorities = std::make_shared<server::Authorities>();
  USHER_TRY(TrustPtr clients, load_trust(config, config.client, config.client_sources, pki::Role::client, std::nullopt,
                                         fetched, {store}));
  server::ServerSnapshot snapshot;
  if (!config.files_shares.empty() || !config.files_publish.empty()) {
    USHER_TRY(snapshot.files, load_files(config, keys, clients, vault, snapshot.expiries));
  }
  USHER_TRY(authorities->channel, load_channel(config, keys, std::move(clients), clock.now()));
  USHER_TRY(authorities->persons, load_persons(config, fetched, store));
  if (!config.distributor.anchors.empty()) {
    USHER_TRY(authorities->distributors, load_distributors(config, fetched, store));
  }
  const pki::Certificate& leaf = authorities->channel->chain.front();
  snapshot.expiries.push_back({.what = "server certificate", .when = leaf.not_after()});
  snapshot.names = names_of(config, leaf);
  snapshot.policy = std::make_shared<const service::ServicePolicy>(
      service::ServicePolicy{.acquisition = acquisition_of(config), .bind_installation = config.bind_installation});
  snapshot.authorities = std::move(authorities);
  return snapshot;
}

}  // namespace usher::usherd
