// pki/certificate_urls: reads the URLs in a certificate: of its issuer's revocation lists, its issuer's responder and
// its issuer's certificate.  Spec: identity.md §11.1, §11.6, §11.7.
#pragma once

#include <string>
#include <vector>

#include "pki/certificate.h"
#include "pki/crl.h"

namespace usher::pki {

inline constexpr std::size_t kMaxListUrls = 4;       // of one kind; further URLs are ignored
inline constexpr std::size_t kMaxListUrl = 1 << 10;  // bytes

/// http and https URLs of the complete list (cRLDistributionPoints) and of the delta (freshestCRL). Points of indirect
/// lists are left out. Names that are not clean URLs are left out too: a certificate is a peer's input.
[[nodiscard]] std::vector<std::string> list_urls(const Certificate& certificate);
/// URLs of the delta, as the complete list names them (freshestCRL).
[[nodiscard]] std::vector<std::string> list_urls(const Crl& crl);
/// The URLs in all certificates of a path except the root, each once.
[[nodiscard]] std::vector<std::string> list_urls(const Chain& path);

/// URLs of the issuer's responder (authorityInfoAccess, ocsp).
[[nodiscard]] std::vector<std::string> responder_urls(const Certificate& certificate);
/// URLs of the issuer's certificate (authorityInfoAccess, caIssuers).
[[nodiscard]] std::vector<std::string> issuer_urls(const Certificate& certificate);

}  // namespace usher::pki
