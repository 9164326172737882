// server/trust/served_lists: revocation lists for listeners, to check the server and distributors.
// Spec: identity.md §11.5.
#pragma once

#include "server/trust/authorities.h"

namespace usher::server {

/// The newest lists and deltas of each scope that are signed by an authority of the server's own chain, of the clients
/// or of the distributors. The encoding is that of channel.md §8.3. If not all of them fit, the largest are left out.
[[nodiscard]] Bytes revocation_lists(const Authorities& authorities, Time now);

}  // namespace usher::server
