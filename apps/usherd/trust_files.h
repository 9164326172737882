// usherd/trust_files: the configured roots, authorities and revocation lists, read into one snapshot.
#pragma once

#include "config.h"
#include "key_files.h"
#include "net/server.h"
#include "revocation.h"

namespace usher::usherd {

/// Reads everything that SIGHUP reads again, and checks the server's own certificate by the client's eyes as far as
/// it can. All or nothing. Raises the store's revocation floors: an older list is refused from then on. Without a
/// store (nullptr) no floor is known or raised; without a vault no medium is looked at.
/// Errors: those of the files, bad_config, crl_rollback, certificate_expired, …
[[nodiscard]] Result<net::ServerSnapshot> load_snapshot(const Config& config, Keyring& keys, const Fetched& fetched,
                                                        store::Store* store, const media::Vault* vault,
                                                        const Clock& clock);

/// What the media channel answers to: server.names, and the names in the server's certificate.
[[nodiscard]] std::vector<std::string> names_of(const Config& config, const identity::Certificate& leaf);

/// What a configuration trusts, as far as it can be read: nullptr and left out where it cannot.
struct ReadTrust {
  std::shared_ptr<const identity::TrustStore> clients;
  std::vector<net::PersonSource> persons;
  std::shared_ptr<const identity::TrustStore> distributors;
};
/// To the end, with everything that is wrong. No revocation floor is raised; the store's are known, where there is one.
[[nodiscard]] ReadTrust read_trust(const Config& config, const Fetched& fetched, store::Store* store,
                                   Problems& problems);

/// The trust in distributors alone, for `media add`. Errors: as above.
[[nodiscard]] Result<std::shared_ptr<const identity::TrustStore>> load_distributors(const Config& config,
                                                                                    const Fetched& fetched,
                                                                                    store::Store* store);

/// The trust in people alone, for `licence issue --card`. Errors: as above.
[[nodiscard]] Result<std::vector<net::PersonSource>> load_persons(const Config& config, const Fetched& fetched,
                                                                  store::Store* store);

}  // namespace usher::usherd
