// usherd/config/revocation: fetched revocation lists, as configured, and the floors below which a list is refused as
// too old.
// Spec: identity.md §4.4, §11.
#pragma once

#include <memory>

#include "server/fetching/fetchers.h"
#include "store/store.h"
#include "usherd/config/config.h"

namespace usher::usherd {

/// What trust stores receive in addition to the configured files.
struct Fetched {
  std::vector<pki::Crl> lists{};
  server::Fetchers* fetchers = nullptr;  // nullptr: nothing is fetched. Borrowed by the trust stores too.
};

/// The lists that the server has fetched: for verbs outside the server.
[[nodiscard]] Fetched cached_lists(const Config& config);
/// The fetchers' lists and the fetchers; without fetchers, as cached_lists.
[[nodiscard]] Fetched fetched_by(server::Fetchers* fetchers, const Config& config);
/// Errors: bad_config (urls, addresses, beginnings of URLs).
[[nodiscard]] Result<server::RevocationOptions> revocation_options_of(const Config& config);
/// Parses as much as possible, and collects all errors.
server::RevocationOptions revocation_options_of(const Config& config, Problems& problems);
/// References are borrowed. Errors: as revocation_options_of.
[[nodiscard]] Result<std::unique_ptr<server::Fetchers>> make_fetchers(const Config& config, const Clock& clock,
                                                                      Random& random, server::Log& log,
                                                                      store::Store& store);
/// Gives a trust store access to what is fetched, as its keys allow.
void connect(pki::TrustConfig& trust, const SourceKeys& keys, const Fetched& fetched);

/// The stored marks for the scopes of these lists. `store` nullptr: none are known. Errors: io.
[[nodiscard]] Result<pki::RevocationFloor> stored_floor(std::span<const pki::Crl> crls, store::Store* store);
/// Errors: io, disk_full.
[[nodiscard]] Result<> store_floor(const pki::RevocationFloor& floor, store::Store* store);
/// Checks that one list, whose signature was verified, is not older than the newest one seen. Then records it as seen.
/// Errors: crl_rollback; io, disk_full.
[[nodiscard]] Result<> admit_list(const pki::Crl& list, store::Store& store);

}  // namespace usher::usherd
