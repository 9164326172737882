// pki/name_constraints: the checks of name constraints that OpenSSL lacks.  For path.cpp.  Spec: identity.md §3.1.
#pragma once

#include "pki/certificate.h"

namespace usher::pki {

/// Whether name constraints are not critical, or are in a certificate that is not an authority's. RFC 5280 §4.2.1.10
/// forbids both; OpenSSL checks neither.
[[nodiscard]] bool has_misplaced_constraints(const Certificate& certificate);

/// Whether a wildcard name of `leaf` covers a name that `authority` excludes: for example `*.example.org`, if
/// `www.example.org` is excluded. OpenSSL compares the name as it is written.
[[nodiscard]] bool has_excluded_wildcard(const Certificate& leaf, const Certificate& authority);

}  // namespace usher::pki
