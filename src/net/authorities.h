// net/authorities: who may act as what, as one snapshot that a reload replaces whole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel/handshake_server.h"
#include "identity/profile.h"
#include "identity/statement.h"
#include "identity/trust.h"

namespace usher::net {

/// One kind of card that is taken.
struct PersonSource {
  identity::Profile profile;
  std::shared_ptr<const identity::TrustStore> trust;
};

/// Immutable.
struct Authorities {
  std::shared_ptr<const channel::ServerSettings> channel;  // own chain and key, trust in clients
  std::vector<PersonSource> persons;                       // at least one
  std::shared_ptr<const identity::TrustStore> distributors;
};

/// The same with other fetched revocation lists. Errors: as TrustStore::with_fetched.
[[nodiscard]] Result<std::shared_ptr<const Authorities>> with_fetched(const Authorities& authorities,
                                                                      const std::vector<identity::Crl>& lists);

/// Every root and authority of every trust store, each once.
[[nodiscard]] identity::Chain all_authorities(const Authorities& authorities);

/// Asks each source in turn; the first that takes the card wins. Errors: verify_auth's, the most telling one.
[[nodiscard]] Result<identity::VerifiedPerson> authenticate(const identity::AuthRequest& request,
                                                            const identity::AuthContext& context,
                                                            const std::vector<PersonSource>& sources);

/// Whether the session's installation, and its person, would still be taken.
class LiveSession;
[[nodiscard]] Result<> still_trusted(const LiveSession& session, const Authorities& authorities, Time now);

}  // namespace usher::net
