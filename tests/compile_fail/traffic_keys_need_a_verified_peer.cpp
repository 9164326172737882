// The signature is verified before the secret is used: without the proof there are no traffic keys.
// expect: no matching function for call to
#include "channel/key_schedule.h"

using namespace usher::channel;

TrafficKeys derived(const KeySchedule& schedule, const PeerVerified& peer, usher::View hash) {
  return schedule.traffic(peer, hash);
}

#ifdef USHER_MUST_FAIL
TrafficKeys skipped(const KeySchedule& schedule, usher::View hash) { return schedule.traffic(hash); }
#endif
