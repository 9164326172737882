// The result of a check cannot be dropped: -Werror makes the warning an error.
// expect: nodiscard
#pragma GCC diagnostic error "-Wunused-result"
#include "crypto/key.h"

using usher::View;
using usher::crypto::PublicKey;
using usher::crypto::SignatureScheme;

bool asked(const PublicKey& key, View message, View signature) {
  return key.verify(SignatureScheme::ecdsa_p256_sha256, message, signature).has_value();
}

#ifdef USHER_MUST_FAIL
void ignored(const PublicKey& key, View message, View signature) {
  key.verify(SignatureScheme::ecdsa_p256_sha256, message, signature);
}
#endif
