// pki/issue: issues certificates and CRLs.  Spec: identity.md §2 and §4.  For usher-ca and for tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/role.h"

namespace usher::pki {

/// A distinguished name; empty parts are left out. UTF-8, each at most 64 characters (128 for the organisation).
struct Name {
  std::string common_name{};
  std::string organisation{};
  std::string organisational_unit{};
  std::string country{};        // two letters
  std::string serial_number{};  // printable ASCII: "BI123456789"
  std::string given_name{};
  std::string surname{};
};

struct Validity {
  Time not_before{};
  Time not_after{};
};

/// Where others find the lists, the issuer and the responder of a certificate. http URLs; empty ones are left out.
struct CertificateUrls {
  std::string crl{};           // CRL distribution point
  std::string freshest_crl{};  // delta CRLs
  std::string issuer{};        // AIA caIssuers
  std::string responder{};     // AIA ocsp
};

/// The authority that signs. Borrowed for the call; the key must be the certificate's.
struct Issuer {
  const Certificate& certificate;
  const crypto::PrivateKey& key;
};

struct CaRequest {
  Name name{};
  Validity validity{};
  std::optional<int> path_length{};  // authorities allowed below this one; not set: no limit
  CertificateUrls urls{};
};

struct LeafRequest {
  /// Determines extended key usages and key usage. Not set: key usage digitalSignature and `more_eku` only.
  std::optional<Role> role{};
  Name name{};
  Validity validity{};
  std::vector<std::string> dns_names{};   // servers
  std::vector<IpAddress> ip_addresses{};  // servers
  std::vector<std::string> more_eku{};    // dotted
  CertificateUrls urls{};
};

/// Self-signed. Errors: malformed (a name or a URL), local.
[[nodiscard]] Result<Certificate> issue_root(const CaRequest& request, const crypto::PrivateKey& key, Random& random);
[[nodiscard]] Result<Certificate> issue_sub_ca(const Issuer& issuer, const CaRequest& request,
                                               const crypto::PublicKey& subject, Random& random);
/// Certifies a public key. The private key may be on a card.
[[nodiscard]] Result<Certificate> issue_leaf(const Issuer& issuer, const LeafRequest& request,
                                             const crypto::PublicKey& subject, Random& random);

/// RFC 5280 §5.3.1. remove_from_crl is for deltas only.
enum class RevocationReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  ca_compromise = 2,
  affiliation_changed = 3,
  superseded = 4,
  cessation_of_operation = 5,
  certificate_hold = 6,
  remove_from_crl = 8,
  privilege_withdrawn = 9,
};
[[nodiscard]] std::string_view name_of(RevocationReason reason) noexcept;  // "key-compromise"
[[nodiscard]] std::optional<RevocationReason> revocation_reason_of_name(std::string_view name) noexcept;

struct RevokedEntry {
  std::string serial_hex{};
  Time when{};
  RevocationReason reason = RevocationReason::unspecified;
};

struct CrlRequest {
  std::uint64_t number = 0;
  std::optional<std::uint64_t> base_number{};  // set: a delta to that complete CRL
  Time this_update{};
  Time next_update{};
  std::vector<RevokedEntry> revoked{};
  std::string freshest_crl{};  // URL, complete CRLs only
};

/// Errors: malformed (a serial number, a URL), local.
[[nodiscard]] Result<Crl> issue_crl(const Issuer& issuer, const CrlRequest& request);

}  // namespace usher::pki
