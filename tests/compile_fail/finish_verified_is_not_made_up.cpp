// That both sides saw one handshake is proven by verify_finished alone: nobody else makes the token.
// expect: is private within this context
#include "channel/peer.h"

using usher::channel::FinishVerified;

FinishVerified kept(FinishVerified proof) { return proof; }

#ifdef USHER_MUST_FAIL
FinishVerified made_up() { return FinishVerified(); }
#endif
