// pki/crl: certificate revocation lists, complete and delta.  Spec: identity.md §4.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace usher::pki {

class Certificate;

inline constexpr std::size_t kMaxCrl = 64 << 20;       // bytes of DER, §4.1
inline constexpr std::size_t kMaxCrlFile = 128 << 20;  // bytes of a file with several, as PEM

/// A CRL number: up to 20 bytes, not negative (RFC 5280 §5.2.3).
class CrlNumber {
 public:
  CrlNumber() = default;
  explicit CrlNumber(std::uint64_t value);
  /// Big endian; drops leading zeros.
  [[nodiscard]] static CrlNumber from_bytes(View bytes);
  [[nodiscard]] View bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string hex() const;  // "0" for zero
  bool operator==(const CrlNumber&) const = default;
  friend std::strong_ordering operator<=>(const CrlNumber& a, const CrlNumber& b) noexcept;

 private:
  Bytes bytes_;
};

/// Parsed once, shared, immutable. Holds the DER, and 4 more bytes per entry (crl_index.h). Parsing does not verify the
/// signature.
class Crl {
 public:
  /// Errors: too_long; malformed (also without thisUpdate, nextUpdate, or with a delta indicator that is not one).
  [[nodiscard]] static Result<Crl> from_der(View der);
  /// The text must have exactly one list. Errors: as from_der; malformed, if there is not exactly one.
  [[nodiscard]] static Result<Crl> from_pem(std::string_view pem);
  [[nodiscard]] static Result<Crl> from_ossl(X509_CRL* crl);  // copies the list

  [[nodiscard]] const Bytes& der() const noexcept;
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] std::string issuer_text() const;
  [[nodiscard]] const std::optional<CrlNumber>& number() const noexcept;
  [[nodiscard]] Time this_update() const noexcept;
  [[nodiscard]] Time next_update() const noexcept;
  [[nodiscard]] bool is_delta() const noexcept { return base_number().has_value(); }
  /// For a delta: the number of the complete CRL from which it starts.
  [[nodiscard]] const std::optional<CrlNumber>& base_number() const noexcept;
  /// SHA-256 of issuer name ‖ authority key identifier ‖ issuing distribution point. CRLs of the same scope replace
  /// each other (§4.2).
  [[nodiscard]] const Hash256& scope() const noexcept;
  [[nodiscard]] std::size_t entries() const noexcept;
  /// Whether the list is in force: thisUpdate <= at <= nextUpdate.
  [[nodiscard]] bool in_force(Time at) const noexcept { return this_update() <= at && at <= next_update(); }
  /// Whether the list names the certificate as revoked. An entry with removeFromCRL does not.
  [[nodiscard]] bool revokes(const Certificate& certificate) const;
  /// Whether the list or an entry has an unknown critical extension. Then the list does not establish any status
  /// (RFC 5280 §5.2, §5.3).
  [[nodiscard]] bool has_unknown_critical() const;
  /// Checks that `issuer` signed the list, with SHA-256 or better. Errors: revocation_unknown.
  [[nodiscard]] Result<> verify(const Certificate& issuer) const;
  /// For path validation only, and only while this list lives. It does not contain the entries (crl_reduced.h).
  [[nodiscard]] X509_CRL* ossl() const noexcept;

 private:
  struct Parsed;
  explicit Crl(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  std::shared_ptr<const Parsed> parsed_;
};

/// All CRLs of a PEM text, 1 to 256; or one CRL in DER. Errors: malformed, too_long.
[[nodiscard]] Result<std::vector<Crl>> crls_from_file_content(View content);

/// The highest CRL number and thisUpdate seen for each scope. The caller keeps it across reloads (§4.4).
struct RevocationFloor {
  struct Mark {
    std::optional<CrlNumber> number;
    Time this_update{};
    bool operator==(const Mark&) const = default;
  };
  std::map<Hash256, Mark> complete;
  std::map<Hash256, Mark> deltas;

  /// Errors: crl_rollback, if the newest CRL of a scope is older than one seen before.
  [[nodiscard]] Result<> check(std::span<const Crl> crls) const;
  /// Precondition: the CRL's signature has been verified.
  void raise(const Crl& crl);
  /// Errors: malformed.
  [[nodiscard]] static Result<RevocationFloor> from_text(std::string_view text);
  [[nodiscard]] std::string to_text() const;
  bool operator==(const RevocationFloor&) const = default;
};

/// The CRLs of a set that are used at the time `at` (§4.2): for each scope the newest complete list, and the newest
/// delta if it goes beyond that list. Superseded complete lists are left out.
struct CrlSelection {
  std::vector<Crl> complete;
  std::vector<Crl> deltas;
  std::vector<Crl> superseded;  // newest deltas that do not go beyond their complete list: for §4.3 (7) only
};
[[nodiscard]] CrlSelection select_crls(std::span<const Crl> crls, Time at);

/// Whether a list can cover certificates that are not authorities', by its issuing distribution point.
[[nodiscard]] bool may_cover_leaves(const Crl& crl);

/// What a trust store tolerates, by explicit configuration (§4.7). No tolerance hides a revocation in a present list.
struct RevocationTolerance {
  bool missing_delta = false;   // a certificate or list points to a delta, but no delta in force is present
  bool unusable_delta = false;  // a delta is expired, unsigned, without a base, or cannot be understood
  bool expired_list = false;    // a complete list after its nextUpdate
};

/// The checks of deltas that OpenSSL lacks (§4.3), for a path that OpenSSL has accepted: leaf first, root last. On an
/// error, `depth` is the index of the certificate that caused it. `answered`: for each certificate of the path, whether
/// a responder reports it as good. If so, only a revocation in a delta counts. Errors: revoked, crl_expired,
/// revocation_unknown.
[[nodiscard]] Result<> check_deltas(std::span<const Certificate> path, const CrlSelection& crls, Time at,
                                    bool leaf_only, const RevocationTolerance& tolerance,
                                    const std::vector<bool>& answered, int* depth = nullptr);

}  // namespace usher::pki
