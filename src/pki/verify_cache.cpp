#include "pki/verify_cache.h"

#include <algorithm>

namespace usher::pki {

Time verdict_holds_until(const VerifiedPeer& peer, const TrustStore& trust, Time now) {
  Time until = std::min(peer.valid_until(), peer.answers_until());
  if (trust.config().revocation == RevocationMode::none) return until;
  for (const auto* lists : {&trust.config().crls, &trust.config().fetched}) {
    for (const Crl& crl : *lists) {
      for (const Time moment : {crl.this_update(), crl.next_update()}) {
        if (moment > now) until = std::min(until, moment);
      }
    }
  }
  return until;
}

VerifyCache::PeerPtr VerifyCache::find(const TrustPtr& trust, const Hash256& digest, Time now) {
  const std::scoped_lock lock(mutex_);
  if (trust_ != trust) {
    entries_.clear();
    trust_ = trust;
  }
  const Verdict* verdict = entries_.find(digest);
  if (verdict == nullptr || now < verdict->from || now >= verdict->until) return nullptr;
  return verdict->peer;
}

Result<VerifyCache::PeerPtr> VerifyCache::verify(const TrustPtr& trust, const Hash256& digest,
                                                 const std::function<Result<Chain>()>& chain, Time now) {
  if (PeerPtr known = find(trust, digest, now)) return known;
  USHER_TRY(const Chain certificates, chain());
  USHER_TRY(VerifiedPeer verified, trust->verify(certificates, now));
  const Time until = verdict_holds_until(verified, *trust, now);
  auto peer = std::make_shared<const VerifiedPeer>(std::move(verified));
  const std::scoped_lock lock(mutex_);
  if (trust_ == trust) entries_.put(digest, {.peer = peer, .from = now, .until = until});
  return peer;
}

}  // namespace usher::pki
