// identity/crl: certificate revocation lists, complete and delta.  Spec: identity.md §4.
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

namespace usher::identity {

class Certificate;

inline constexpr std::size_t kMaxCrl = 64 << 20;       // bytes of DER, §4.1
inline constexpr std::size_t kMaxCrlFile = 128 << 20;  // bytes of a file with several, as PEM

/// A CRL number: up to 20 bytes, not negative (RFC 5280 §5.2.3).
class CrlNumber {
 public:
  CrlNumber() = default;
  explicit CrlNumber(std::uint64_t value);
  /// Big endian, leading zeros are dropped.
  [[nodiscard]] static CrlNumber from_bytes(View bytes);
  [[nodiscard]] View bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string hex() const;  // "0" for zero
  bool operator==(const CrlNumber&) const = default;
  friend std::strong_ordering operator<=>(const CrlNumber& a, const CrlNumber& b) noexcept;

 private:
  Bytes bytes_;
};

/// Parsed once, shared, immutable: the DER, and 4 bytes an entry beside it (crl_index.h). That it parses says nothing
/// about its signature.
class Crl {
 public:
  /// Errors: too_long; malformed (also without thisUpdate, nextUpdate, or with a delta indicator that is not one).
  [[nodiscard]] static Result<Crl> from_der(View der);
  /// Exactly one.
  [[nodiscard]] static Result<Crl> from_pem(std::string_view pem);
  [[nodiscard]] static Result<Crl> from_ossl(X509_CRL* crl);  // takes a reference of its own

  [[nodiscard]] const Bytes& der() const noexcept;
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] std::string issuer_text() const;
  [[nodiscard]] const std::optional<CrlNumber>& number() const noexcept;
  [[nodiscard]] Time this_update() const noexcept;
  [[nodiscard]] Time next_update() const noexcept;
  [[nodiscard]] bool is_delta() const noexcept { return base_number().has_value(); }
  /// The complete CRL that a delta starts from.
  [[nodiscard]] const std::optional<CrlNumber>& base_number() const noexcept;
  /// SHA-256 of issuer name ‖ authority key identifier ‖ issuing distribution point: CRLs of one scope replace each
  /// other (§4.2).
  [[nodiscard]] const Hash256& scope() const noexcept;
  [[nodiscard]] std::size_t entries() const noexcept;
  /// Whether the list is in force: thisUpdate <= at <= nextUpdate.
  [[nodiscard]] bool in_force(Time at) const noexcept { return this_update() <= at && at <= next_update(); }
  /// Whether the list names the certificate as revoked (an entry removeFromCRL does not).
  [[nodiscard]] bool revokes(const Certificate& certificate) const;
  /// Whether it has a critical extension, its own or an entry's, that is not known here: then it establishes nothing
  /// (RFC 5280 §5.2, §5.3).
  [[nodiscard]] bool has_unknown_critical() const;
  /// Whether the signature is `issuer`'s, with SHA-256 or better. Errors: revocation_unknown.
  [[nodiscard]] Result<> verify(const Certificate& issuer) const;
  /// For path validation alone, and while this list lives: its entries are not in there (crl_light.h).
  [[nodiscard]] X509_CRL* ossl() const noexcept;

 private:
  struct Parsed;
  explicit Crl(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  std::shared_ptr<const Parsed> parsed_;
};

/// All CRLs of a PEM text, 1 to 256; or one CRL in DER. Errors: malformed, too_long.
[[nodiscard]] Result<std::vector<Crl>> crls_from_file_content(View content);

/// The highest CRL number and thisUpdate seen of each scope. The caller keeps it across reloads (§4.4).
struct RevocationFloor {
  struct Mark {
    std::optional<CrlNumber> number;
    Time this_update{};
    bool operator==(const Mark&) const = default;
  };
  std::map<Hash256, Mark> complete;
  std::map<Hash256, Mark> deltas;

  /// Errors: crl_rollback, when the newest CRL of a scope is older than what was seen before.
  [[nodiscard]] Result<> check(std::span<const Crl> crls) const;
  /// Precondition: the CRL's signature has been verified.
  void raise(const Crl& crl);
  /// Errors: malformed.
  [[nodiscard]] static Result<RevocationFloor> from_text(std::string_view text);
  [[nodiscard]] std::string to_text() const;
  bool operator==(const RevocationFloor&) const = default;
};

/// What is used at `at` of a set of CRLs (§4.2): of each scope the newest complete one and the newest delta that goes
/// beyond it.  Superseded lists are left out.
struct CrlSelection {
  std::vector<Crl> complete;
  std::vector<Crl> deltas;
  std::vector<Crl>
      superseded;  // newest deltas that do not go beyond their complete list: of use only as a sign of life
};
[[nodiscard]] CrlSelection select_crls(std::span<const Crl> crls, Time at);

/// Whether a list can be about certificates that are not authorities' (its issuing distribution point).
[[nodiscard]] bool may_cover_leaves(const Crl& crl);

/// What a trust store puts up with, by explicit configuration (§4.7). None of it ever hides a revocation at hand.
struct RevocationTolerance {
  bool missing_delta = false;   // a delta is pointed to, and none in force is at hand
  bool unusable_delta = false;  // one at hand is expired, unsigned, without a base, or not to be understood
  bool expired_list = false;    // a complete list after its nextUpdate
};

/// The checks of deltas that OpenSSL lacks (§4.3), for a path that OpenSSL has accepted: leaf first, root last. `depth`
/// tells of a refusal which certificate it is about. `answered`: those of the path of which a responder says that they are
/// good, so that of a delta only a revocation counts. Errors: revoked, crl_expired, revocation_unknown.
[[nodiscard]] Result<> check_deltas(std::span<const Certificate> path, const CrlSelection& crls, Time at,
                                    bool leaf_only, const RevocationTolerance& tolerance,
                                    const std::vector<bool>& answered, int* depth = nullptr);

}  // namespace usher::identity
