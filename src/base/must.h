// base/must: a check of usher's own code that every build makes, unlike assert().
#pragma once

#include <cstdlib>

namespace usher {

/// Ends the process if `held` is false: a bug of our own, or no memory. Never for something that a peer, a file or a
/// user decides: that is an Error.
inline void must(bool held) {
  if (!held) std::abort();
}

}  // namespace usher
