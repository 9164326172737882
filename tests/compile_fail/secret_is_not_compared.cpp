// Secrets are compared by equal_constant_time. There is no ==, because its time would show where they differ.
// expect: no match for 'operator=='
#include "crypto/secret.h"

using usher::crypto::Secret;

bool same_size(const Secret& a, const Secret& b) { return a.size() == b.size(); }

#ifdef USHER_MUST_FAIL
bool same(const Secret& a, const Secret& b) { return a == b; }
#endif
