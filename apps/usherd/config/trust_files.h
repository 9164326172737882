// usherd/config/trust_files: reads the configured roots, authorities and revocation lists into one snapshot.
#pragma once

#include "server/server.h"
#include "usherd/config/config.h"
#include "usherd/config/revocation.h"
#include "usherd/home/key_files.h"

namespace usher::usherd {

/// Reads everything that SIGHUP reads again, and checks that the server's own certificate is valid now and fits its
/// key. All or nothing. Raises the store's revocation floors: an older list is refused from then on. Without a
/// store (nullptr) no floor is known or raised; without a vault no medium is checked.
/// Errors: those of the files, bad_config, crl_rollback, certificate_expired, …
[[nodiscard]] Result<server::ServerSnapshot> load_snapshot(const Config& config, Keyring& keys, const Fetched& fetched,
                                                           store::Store* store, const media::Vault* vault,
                                                           const Clock& clock);

/// The names that the media channel accepts: server.names, and the names in the server's certificate.
[[nodiscard]] std::vector<std::string> names_of(const Config& config, const pki::Certificate& leaf);

/// The trust of a configuration, as far as it can be read. Unreadable parts are nullptr, or left out of `persons`.
struct ReadTrust {
  std::shared_ptr<const pki::TrustStore> clients;
  std::vector<server::PersonSource> persons;
  std::shared_ptr<const pki::TrustStore> distributors;
};
/// Collects all errors. Raises no revocation floor; uses the store's floors, if there is a store.
[[nodiscard]] ReadTrust read_trust(const Config& config, const Fetched& fetched, store::Store* store,
                                   Problems& problems);

/// Only the trust in distributors, for `media add`. Errors: as above.
[[nodiscard]] Result<std::shared_ptr<const pki::TrustStore>> load_distributors(const Config& config,
                                                                               const Fetched& fetched,
                                                                               store::Store* store);

/// Only the trust in people, for `licence issue --card`. Errors: as above.
[[nodiscard]] Result<std::vector<server::PersonSource>> load_persons(const Config& config, const Fetched& fetched,
                                                                     store::Store* store);

}  // namespace usher::usherd
