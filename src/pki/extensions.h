// pki/extensions: the extensions that usher's authorities write.  For issue.cpp.  Spec: identity.md §2.
#pragma once

#include <span>

#include "pki/issue.h"
#include "pki/x509.h"

namespace usher::pki {

/// Each function adds its extensions; false if OpenSSL fails.
bool add_basic_constraints(X509* certificate, bool is_ca, std::optional<int> path_length);
bool add_key_usage(X509* certificate, std::uint32_t bits);  // KU_… bits, critical
bool add_extended_key_usage(X509* certificate, std::span<const std::string> dotted);
/// RFC 7093 §2 (1): the left-most 160 bits of the SHA-256 of the key.
bool add_subject_key_id(X509* certificate);
bool add_authority_key_id(X509* certificate, const X509* issuer);
bool add_authority_key_id(X509_CRL* crl, const X509* issuer);
bool add_alternative_names(X509* certificate, std::span<const std::string> dns, std::span<const IpAddress> ip);
bool add_urls(X509* certificate, const CertificateUrls& urls);
bool add_freshest_crl(X509_CRL* crl, const std::string& url);

}  // namespace usher::pki
