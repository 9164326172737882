// Only a trust store can state that a chain was verified.
// expect: is private within this context
#include "pki/trust_store.h"

using namespace usher::pki;

Role role_of(const VerifiedPeer& peer) { return peer.role(); }

#ifdef USHER_MUST_FAIL
VerifiedPeer made_up(usher::crypto::PublicKey key, VerifiedPath path) { return VerifiedPeer(Role::person, key, path); }
#endif
