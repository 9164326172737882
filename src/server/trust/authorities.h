// server/trust/authorities: the trust in clients, persons and distributors: one snapshot, which a reload replaces as a
// whole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel/handshake_server.h"
#include "person/profile.h"
#include "person/statement.h"
#include "pki/trust_store.h"

namespace usher::server {

/// One kind of card that the server accepts.
struct PersonSource {
  person::Profile profile;
  std::shared_ptr<const pki::TrustStore> trust;
};

/// Immutable.
struct Authorities {
  std::shared_ptr<const channel::ServerSettings> channel;  // own chain and key, trust in clients
  std::vector<PersonSource> persons;                       // at least one
  std::shared_ptr<const pki::TrustStore> distributors;
};

/// A copy of `authorities` with these fetched revocation lists in place of the earlier ones.
/// Errors: as TrustStore::with_fetched.
[[nodiscard]] Result<std::shared_ptr<const Authorities>> with_fetched(const Authorities& authorities,
                                                                      const std::vector<pki::Crl>& lists);

/// All roots and authorities of all trust stores, without duplicates.
[[nodiscard]] pki::Chain all_authorities(const Authorities& authorities);

/// Tries the sources in order; the first that accepts the card decides. Errors: verify_auth's, the most specific one.
[[nodiscard]] Result<person::VerifiedPerson> authenticate(const person::AuthRequest& request,
                                                          const person::AuthContext& context,
                                                          const std::vector<PersonSource>& sources);

}  // namespace usher::server
