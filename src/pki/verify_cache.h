// pki/verify_cache: caches verdicts about chains that arrive repeatedly.  Spec: identity.md §3, filestream.md §2.
//
// Verifying a path costs parsing and then some signature checks. A client that fetches many files sends the same chain
// each time. The cache keeps only acceptances, and no longer than a new verification would accept the chain.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "base/lru.h"
#include "pki/trust_store.h"

namespace usher::pki {

/// Until when the verdict "accepted" about `peer` holds without a new check. The earliest of: the end of a certificate
/// of the path, the end of a responder's answer, and the next thisUpdate or nextUpdate of a revocation list.
[[nodiscard]] Time verdict_holds_until(const VerifiedPeer& peer, const TrustStore& trust, Time now);

/// Thread-safe.
class VerifyCache {
 public:
  using TrustPtr = std::shared_ptr<const TrustStore>;
  using PeerPtr = std::shared_ptr<const VerifiedPeer>;

  explicit VerifyCache(std::size_t max_entries) : entries_(max_entries) {}

  /// Like trust->verify(chain()). `digest`: SHA-256 of the chain's DER, one certificate after the other. If `trust` is
  /// not the same as in the last call, the cache is cleared. Errors: those of `chain` and of TrustStore::verify.
  [[nodiscard]] Result<PeerPtr> verify(const TrustPtr& trust, const Hash256& digest,
                                       const std::function<Result<Chain>()>& chain, Time now);

 private:
  struct Verdict {
    PeerPtr peer;
    Time from;  // when it was made: if the clock goes back, a list may not be in force yet
    Time until;
  };
  [[nodiscard]] PeerPtr find(const TrustPtr& trust, const Hash256& digest, Time now);

  std::mutex mutex_;
  TrustPtr trust_;  // made the verdicts; held, so that no other store gets its address
  LruMap<Hash256, Verdict> entries_;
};

}  // namespace usher::pki
