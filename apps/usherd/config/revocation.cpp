#include "usherd/config/revocation.h"

#include "crypto/digest.h"

namespace usher::usherd {
namespace {

/// The store keeps one mark for each name; a scope's deltas have their own name.
Hash256 floor_name(const Hash256& scope, bool delta) {
  return delta ? crypto::sha256({view_of("delta"), scope}) : scope;
}

std::filesystem::path directory_of(const Config& config) { return config.path_of(config.data) / "revocation"; }

/// Whether the prefix contains a whole host and a / after it, so that no other host's URL begins with it.
bool names_a_host(std::string_view prefix) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (prefix.starts_with(scheme)) return prefix.find('/', scheme.size() + 1) != std::string_view::npos;
  }
  return false;
}

void check_issuers_from(const Config& config, Problems& problems) {
  for (const SourceKeys* keys : {&config.client_sources, &config.citizen.sources, &config.generic.sources}) {
    for (const std::string& prefix : keys->issuers_from) {
      if (names_a_host(prefix)) continue;
      problems.push_back({Fault::bad_config, "config",
                          "issuers_from: " + prefix + " is no http or https URL with a / after its host"});
    }
  }
}

}  // namespace

Fetched cached_lists(const Config& config) {
  Fetched fetched;
  for (server::CachedList& cached : server::RevocationCache(directory_of(config)).load()) {
    fetched.lists.push_back(std::move(cached.list));
  }
  return fetched;
}

Fetched fetched_by(server::Fetchers* fetchers, const Config& config) {
  if (fetchers == nullptr) return cached_lists(config);
  return {.lists = fetchers->lists.lists(), .fetchers = fetchers};
}

server::RevocationOptions revocation_options_of(const Config& config, Problems& problems) {
  server::RevocationOptions options{.urls = config.revocation_urls,
                                    .refreshing = {.refresh = Seconds(config.revocation_refresh_seconds),
                                                   .retry = Seconds(config.revocation_retry_seconds)}};
  for (const std::string& url : options.urls) {
    if (url.starts_with("http://") || url.starts_with("https://")) continue;
    problems.push_back({Fault::bad_config, "config", "revocation.urls: " + url + " is neither http nor https"});
  }
  check_issuers_from(config, problems);
  options.limits.bytes = static_cast<std::size_t>(config.revocation_max_bytes);
  options.limits.deadline = Seconds(config.revocation_deadline_seconds);
  options.limits.proxy = config.revocation_proxy;
  for (const std::string& text : config.revocation_addresses) {
    if (auto range = server::AddressRange::from_text(text)) {
      options.limits.allowed.push_back(*std::move(range));
    } else {
      range.error().about.insert(0, "revocation.addresses: ");
      problems.push_back(std::move(range).error());
    }
  }
  return options;
}

Result<server::RevocationOptions> revocation_options_of(const Config& config) {
  Problems problems;
  server::RevocationOptions options = revocation_options_of(config, problems);
  USHER_CHECK(app::first_of(std::move(problems)));
  return options;
}

Result<std::unique_ptr<server::Fetchers>> make_fetchers(const Config& config, const Clock& clock, Random& random,
                                                        server::Log& log, store::Store& store) {
  USHER_TRY(server::RevocationOptions options, revocation_options_of(config));
  const std::filesystem::path directory = directory_of(config);
  server::StatusOptions statuses{.refreshing = options.refreshing, .limits = options.limits, .directory = directory};
  server::IssuerOptions issuers{
      .refreshing = options.refreshing, .limits = options.limits, .directory = config.path_of(config.data) / "issuers"};
  server::CrlFetcher::Parts parts{.clock = clock,
                                  .random = random,
                                  .log = log,
                                  .cache = server::RevocationCache(directory),
                                  .admit = [&store](const pki::Crl& list) { return admit_list(list, store); }};
  return std::make_unique<server::Fetchers>(std::move(options), std::move(parts), std::move(statuses),
                                            std::move(issuers));
}

void connect(pki::TrustConfig& trust, const SourceKeys& keys, const Fetched& fetched) {
  trust.fetched = fetched.lists;
  server::Fetchers* fetchers = fetched.fetchers;
  if (fetchers == nullptr) return;
  if (!keys.issuers_from.empty()) {
    trust.issuers_of = [fetchers, from = keys.issuers_from](const pki::Certificate& certificate) {
      return fetchers->issuers.find(certificate, from);
    };
  }
  if (!keys.ocsp) {
    trust.missing = [fetchers](const pki::Chain& path) { return fetchers->lists.want(path); };
    return;
  }
  trust.answers = [fetchers](const Hash256& certificate, const Hash256& issuer) {
    return fetchers->statuses.answer(certificate, issuer);
  };
  trust.missing = [fetchers](const pki::Chain& path) {
    const server::OcspFetcher::Wanted wanted = fetchers->statuses.want(path);
    // If responders cover the whole path, its lists are not requested.
    const bool lists_are_coming = wanted.lacking && fetchers->lists.want(path);
    return wanted.coming || lists_are_coming;
  };
}

Result<pki::RevocationFloor> stored_floor(std::span<const pki::Crl> crls, store::Store* store) {
  pki::RevocationFloor floor;
  if (store == nullptr) return floor;
  for (const pki::Crl& crl : crls) {
    USHER_TRY(const auto mark, store->revocation_floor(floor_name(crl.scope(), crl.is_delta())));
    if (!mark) continue;
    auto& marks = crl.is_delta() ? floor.deltas : floor.complete;
    marks[crl.scope()] = {.number = pki::CrlNumber::from_bytes(mark->number), .this_update = mark->this_update};
  }
  return floor;
}

Result<> store_floor(const pki::RevocationFloor& floor, store::Store* store) {
  if (store == nullptr) return {};
  for (const bool delta : {false, true}) {
    for (const auto& [scope, mark] : delta ? floor.deltas : floor.complete) {
      const View number = mark.number ? mark.number->bytes() : View();
      USHER_CHECK(store->raise_revocation_floor(floor_name(scope, delta),
                                                {.number = to_bytes(number), .this_update = mark.this_update}));
    }
  }
  return {};
}

Result<> admit_list(const pki::Crl& list, store::Store& store) {
  USHER_TRY(pki::RevocationFloor floor, stored_floor({&list, 1}, &store));
  USHER_CHECK(floor.check({&list, 1}));
  floor.raise(list);
  return store_floor(floor, &store);
}

}  // namespace usher::usherd
