// pki/crl_walk: reads the DER of a revocation list in place.  For crl*.cpp.  Spec: identity.md §4.6.
//
// OpenSSL's X509_CRL makes several objects of each entry, more than 200 bytes. A million entries are slow to create and
// to search. So this code reads headers with OpenSSL's ASN1_get_object, and decodes the entries only. OpenSSL decodes
// the rest of a list (crl_reduced.h).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::pki {

inline constexpr std::size_t kMaxCrlEntry = 16 << 10;    // bytes, §4.1
inline constexpr std::size_t kMaxCrlAround = 256 << 10;  // bytes of a list without its entries, §4.1

/// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature }, cut at its entries. All views borrow.
struct CrlParts {
  View signed_bytes{};  // tbsCertList with its header
  View before{};        // its content before revokedCertificates
  View entries{};       // revokedCertificates without their header; empty if absent
  View after{};         // its content after them: the extensions
  View signature{};     // signatureAlgorithm and signature, with their headers
};

/// Errors: malformed; too_long (more than kMaxCrlAround without the entries).
[[nodiscard]] Result<CrlParts> split_crl(View der);

/// One entry: SEQUENCE { serial INTEGER, revocationDate Time, extensions OPTIONAL }.
struct CrlEntry {
  View der{};             // with its header
  View serial{};          // the INTEGER's content, minimal two's complement
  View issuer{};          // the value of its certificateIssuer extension; empty if absent
  bool removed = false;   // reasonCode removeFromCRL
  bool critical = false;  // has a critical extension other than certificateIssuer
};

/// Removes the first entry from `rest` and returns it. Errors: malformed; too_long.
[[nodiscard]] Result<CrlEntry> take_entry(View& rest);
/// The serial number of an entry that take_entry has accepted.
[[nodiscard]] View serial_at(View entry) noexcept;

}  // namespace usher::pki
