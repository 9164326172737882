// Only verify_peer proves that a peer was verified: no other code can make the token.
// expect: is private within this context
#include "channel/peer.h"

using usher::channel::PeerVerified;

PeerVerified kept(PeerVerified proof) { return proof; }

#ifdef USHER_MUST_FAIL
PeerVerified made_up(usher::pki::VerifiedPeer peer) { return PeerVerified(std::move(peer)); }
#endif
