// No application data before both Finished are verified: a session cannot be put together without the proofs.
// expect: is private within this context
#include "channel/session.h"

using namespace usher::channel;

ServerSession opened(Established parts) { return ServerSession(std::move(parts)); }

#ifdef USHER_MUST_FAIL
Established skipped(const Suite& suite, PeerVerified peer, std::shared_ptr<Traffic> traffic) {
  return {suite, {}, std::move(peer), {}, {}, std::move(traffic), {}};
}
#endif
