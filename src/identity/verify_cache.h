// identity/verify_cache: verdicts about chains that come again and again.  Spec: identity.md §3, filestream.md §2.
//
// To verify a path costs some signatures and, before that, parsing; a client that fetches many files brings the same
// chain each time. What is kept are acceptances alone, and none for longer than it would be given anew.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "base/lru.h"
#include "identity/trust.h"

namespace usher::identity {

/// Until when the verdict "accepted" about `peer` holds without a look at anything: the earliest end of a certificate of
/// the path, and the next moment at which another revocation list counts or one of them ends.
[[nodiscard]] Time verdict_holds_until(const VerifiedPeer& peer, const TrustStore& trust, Time now);

/// Thread-safe.
class VerifyCache {
 public:
  using TrustPtr = std::shared_ptr<const TrustStore>;
  using PeerPtr = std::shared_ptr<const VerifiedPeer>;

  explicit VerifyCache(std::size_t max_entries) : entries_(max_entries) {}

  /// As trust->verify(chain()). `digest`: SHA-256 of the chain's DER, one certificate after the other. Another `trust`
  /// than at the last call forgets everything. Errors: chain's; those of TrustStore::verify.
  [[nodiscard]] Result<PeerPtr> verify(const TrustPtr& trust, const Hash256& digest,
                                       const std::function<Result<Chain>()>& chain, Time now);

 private:
  struct Verdict {
    PeerPtr peer;
    Time from;  // when it was given: a clock that goes back may find a list that was not in force yet
    Time until;
  };
  [[nodiscard]] PeerPtr find(const TrustPtr& trust, const Hash256& digest, Time now);

  std::mutex mutex_;
  TrustPtr trust_;  // that the verdicts are of; held, so that another never has its address
  LruMap<Hash256, Verdict> entries_;
};

}  // namespace usher::identity
