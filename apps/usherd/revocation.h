// usherd/revocation: the revocation lists that are fetched, as the configuration has it, and how old a list may be.
// Spec: identity.md §4.4, §11.
#pragma once

#include <memory>

#include "config.h"
#include "net/keepers.h"
#include "store/store.h"

namespace usher::usherd {

/// What trust stores get beside what is configured.
struct Fetched {
  std::vector<identity::Crl> lists{};
  net::Keepers* keepers = nullptr;  // none: nobody fetches. Borrowed by the trust stores too.
};

/// What the server has fetched: for verbs beside it.
[[nodiscard]] Fetched cached_lists(const Config& config);
/// What the keepers have, and they themselves; without them as cached_lists.
[[nodiscard]] Fetched fetched_by(net::Keepers* keepers, const Config& config);
/// Errors: bad_config (urls, addresses, beginnings of URLs).
[[nodiscard]] Result<net::RevocationOptions> revocation_options_of(const Config& config);
/// As far as it goes, with everything that is wrong.
net::RevocationOptions revocation_options_of(const Config& config, Problems& problems);
/// References are borrowed. Errors: as revocation_options_of.
[[nodiscard]] Result<std::unique_ptr<net::Keepers>> make_keepers(const Config& config, const Clock& clock,
                                                                 Random& random, net::Log& log, store::Store& store);
/// Lets a trust store have what is fetched, as far as its keys allow.
void connect(identity::TrustConfig& trust, const SourceKeys& keys, const Fetched& fetched);

/// The marks of these lists' scopes. nullptr: none are known. Errors: io.
[[nodiscard]] Result<identity::RevocationFloor> stored_floor(std::span<const identity::Crl> crls, store::Store* store);
/// Errors: io, disk_full.
[[nodiscard]] Result<> store_floor(const identity::RevocationFloor& floor, store::Store* store);
/// Whether this one list, whose signature was verified, is as new as what was seen; it is seen from here on.
/// Errors: crl_rollback; io, disk_full.
[[nodiscard]] Result<> admit_list(const identity::Crl& list, store::Store& store);

}  // namespace usher::usherd
