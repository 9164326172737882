// identity/pointers: where a certificate says that its issuer's revocation lists, its issuer's responder and its issuer's
// own certificate are to be had.  Spec: identity.md §11.1, §11.6, §11.7.
#pragma once

#include <string>
#include <vector>

#include "identity/certificate.h"
#include "identity/crl.h"

namespace usher::identity {

inline constexpr std::size_t kMaxListUrls = 4;       // of one kind; more are not looked at
inline constexpr std::size_t kMaxListUrl = 1 << 10;  // bytes

/// http and https URLs of the complete list (cRLDistributionPoints) and of the delta (freshestCRL). Points of indirect
/// lists are left out. What is not a clean URL is left out as well: a certificate is a peer's input.
[[nodiscard]] std::vector<std::string> list_urls(const Certificate& certificate);
/// Of the delta, as the complete list names it (freshestCRL).
[[nodiscard]] std::vector<std::string> list_urls(const Crl& crl);
/// Of all certificates of a path but the root, each once.
[[nodiscard]] std::vector<std::string> list_urls(const Chain& path);

/// Of the issuer's responder (authorityInfoAccess, ocsp).
[[nodiscard]] std::vector<std::string> responder_urls(const Certificate& certificate);
/// Of the issuer's certificate (authorityInfoAccess, caIssuers).
[[nodiscard]] std::vector<std::string> issuer_urls(const Certificate& certificate);

}  // namespace usher::identity
