// A second copy of a secret is made by clone(), where it can be seen, and never by accident.
// expect: use of deleted function
#include "crypto/secret.h"

using usher::crypto::Secret;

Secret moved(Secret secret) { return secret; }

#ifdef USHER_MUST_FAIL
Secret copied(const Secret& secret) { return secret; }
#endif
