// net/handed_lists: the revocation lists by which listeners judge the server and its distributors.  Spec: identity.md §11.5.
#pragma once

#include "net/authorities.h"

namespace usher::net {

/// The newest lists of each scope that the authorities of the server's own chain, the clients' and the distributors' have
/// signed, as channel.md §8.3 encodes them. What does not fit into that is left out, the largest first.
[[nodiscard]] Bytes handed_lists(const Authorities& authorities, Time now);

}  // namespace usher::net
