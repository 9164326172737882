// usherd/revocation: the revocation lists that are fetched, as the configuration has it, and how old a list may be.
// Spec: identity.md §4.4, §11.
#pragma once

#include "config.h"
#include "net/revocation_keeper.h"
#include "store/store.h"

namespace usher::usherd {

/// What trust stores get beside what is configured.
struct FetchedLists {
  std::vector<identity::Crl> lists{};
  identity::StatusMissing missing{};  // empty: nobody fetches
};

[[nodiscard]] net::RevocationCache revocation_cache_of(const Config& config);
/// What the server has fetched: for verbs beside it.
[[nodiscard]] FetchedLists cached_lists(const Config& config);
/// Errors: bad_config (urls, addresses).
[[nodiscard]] Result<net::RevocationOptions> revocation_options_of(const Config& config);

/// The marks of these lists' scopes. nullptr: none are known. Errors: io.
[[nodiscard]] Result<identity::RevocationFloor> stored_floor(std::span<const identity::Crl> crls, store::Store* store);
/// Errors: io, disk_full.
[[nodiscard]] Result<> store_floor(const identity::RevocationFloor& floor, store::Store* store);
/// Whether this one list, whose signature was verified, is as new as what was seen; it is seen from here on.
/// Errors: crl_rollback; io, disk_full.
[[nodiscard]] Result<> admit_list(const identity::Crl& list, store::Store& store);

}  // namespace usher::usherd
