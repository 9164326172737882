// A secret that ends in a log by mistake does not compile.
// expect: no match for 'operator<<'
#include <ostream>

#include "crypto/secret.h"

using usher::crypto::Secret;

void size(std::ostream& out, const Secret& secret) { out << secret.size(); }

#ifdef USHER_MUST_FAIL
void log(std::ostream& out, const Secret& secret) { out << secret; }
#endif
