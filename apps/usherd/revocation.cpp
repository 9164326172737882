#include "revocation.h"

#include "crypto/digest.h"

namespace usher::usherd {
namespace {

/// The store keeps one mark a name; a scope's deltas have a name of their own.
Hash256 floor_name(const Hash256& scope, bool delta) {
  return delta ? crypto::sha256({view_of("delta"), scope}) : scope;
}

}  // namespace

net::RevocationCache revocation_cache_of(const Config& config) {
  return net::RevocationCache(config.path_of(config.data) / "revocation");
}

FetchedLists cached_lists(const Config& config) {
  FetchedLists fetched;
  for (net::CachedList& cached : revocation_cache_of(config).load()) fetched.lists.push_back(std::move(cached.list));
  return fetched;
}

Result<net::RevocationOptions> revocation_options_of(const Config& config) {
  net::RevocationOptions options{.urls = config.revocation_urls,
                                 .refresh = Seconds(config.revocation_refresh_seconds),
                                 .retry = Seconds(config.revocation_retry_seconds)};
  for (const std::string& url : options.urls) {
    if (url.starts_with("http://") || url.starts_with("https://")) continue;
    return fail(Fault::bad_config, "config", "revocation.urls: " + url + " is neither http nor https");
  }
  options.limits.bytes = static_cast<std::size_t>(config.revocation_max_bytes);
  options.limits.deadline = Seconds(config.revocation_deadline_seconds);
  options.limits.proxy = config.revocation_proxy;
  for (const std::string& text : config.revocation_addresses) {
    USHER_TRY(net::AddressRange range, net::AddressRange::from_text(text));
    options.limits.allowed.push_back(std::move(range));
  }
  return options;
}

Result<identity::RevocationFloor> stored_floor(std::span<const identity::Crl> crls, store::Store* store) {
  identity::RevocationFloor floor;
  if (store == nullptr) return floor;
  for (const identity::Crl& crl : crls) {
    USHER_TRY(const auto mark, store->revocation_floor(floor_name(crl.scope(), crl.is_delta())));
    if (!mark) continue;
    auto& marks = crl.is_delta() ? floor.deltas : floor.complete;
    marks[crl.scope()] = {.number = identity::CrlNumber::from_bytes(mark->number), .this_update = mark->this_update};
  }
  return floor;
}

Result<> store_floor(const identity::RevocationFloor& floor, store::Store* store) {
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

Result<> admit_list(const identity::Crl& list, store::Store& store) {
  USHER_TRY(identity::RevocationFloor floor, stored_floor({&list, 1}, &store));
  USHER_CHECK(floor.check({&list, 1}));
  floor.raise(list);
  return store_floor(floor, &store);
}

}  // namespace usher::usherd
