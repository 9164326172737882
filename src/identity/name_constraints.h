// identity/name_constraints: what OpenSSL does not check of them.  For path.cpp.  Spec: identity.md §3.1.
#pragma once

#include "identity/certificate.h"

namespace usher::identity {

/// RFC 5280 §4.2.1.10: they are critical, and stand in authorities' certificates only. OpenSSL checks neither.
[[nodiscard]] bool has_misplaced_constraints(const Certificate& certificate);

/// Whether a wildcard name of `leaf` stands for a name that `authority` excludes: `*.example.org` where
/// `www.example.org` is excluded. OpenSSL compares the name as it is written.
[[nodiscard]] bool has_excluded_wildcard(const Certificate& leaf, const Certificate& authority);

}  // namespace usher::identity
