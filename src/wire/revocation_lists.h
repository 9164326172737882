// wire/revocation_lists: the revocation lists that a server sends to every client on request.  Spec: channel.md §8.3.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::wire {

inline constexpr std::size_t kMaxHandedLists = 32;
inline constexpr std::size_t kMaxHandedBytes = 1 << 20;  // encoded

struct RevocationLists {
  std::vector<Bytes> lists;  // DER, at most kMaxHandedLists
  /// Precondition: at most kMaxHandedLists, kMaxHandedBytes in all.
  [[nodiscard]] Bytes encode() const;
  /// Errors: too_long, malformed.
  [[nodiscard]] static Result<RevocationLists> decode(View body);
};

}  // namespace usher::wire
