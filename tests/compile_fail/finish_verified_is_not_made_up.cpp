// Only verify_finished proves that both sides saw one handshake: no other code can make the token.
// expect: is private within this context
#include "channel/peer.h"

using usher::channel::FinishVerified;

FinishVerified kept(FinishVerified proof) { return proof; }

#ifdef USHER_MUST_FAIL
FinishVerified made_up() { return FinishVerified(); }
#endif
