// That a peer was verified is proven by verify_peer alone: nobody else makes the token.
// expect: is private within this context
#include "channel/peer.h"

using usher::channel::PeerVerified;

PeerVerified kept(PeerVerified proof) { return proof; }

#ifdef USHER_MUST_FAIL
PeerVerified made_up(usher::identity::VerifiedPeer peer) { return PeerVerified(std::move(peer)); }
#endif
