// pki/certificate: one X.509 certificate, parsed once, shared, immutable.  Spec: identity.md §2.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/key.h"

namespace usher::pki {

inline constexpr std::size_t kMaxCertificate = 16 << 10;  // bytes of DER, §2.1
inline constexpr std::size_t kMaxChain = 4;               // certificates that a peer may send, leaf first

/// An IPv4 (4 bytes) or IPv6 (16 bytes) address in network order, and its usual text.
struct IpAddress {
  Bytes bytes;
  /// Takes "192.0.2.1", "2001:db8::1", "[2001:db8::1]". Errors: malformed.
  [[nodiscard]] static Result<IpAddress> from_text(std::string_view text);
  [[nodiscard]] std::string text() const;
  bool operator==(const IpAddress&) const = default;
};

/// Copies share one object. Thread-safe.
class Certificate {
 public:
  /// The whole input is one DER certificate of X.509 v3. Errors: too_long (above kMaxCertificate), malformed;
  /// bad_certificate (another version).
  [[nodiscard]] static Result<Certificate> from_der(View der);
  /// Exactly one certificate; text around the PEM block is ignored. Errors: as from_der; malformed for no certificate;
  /// too_long for more than one.
  [[nodiscard]] static Result<Certificate> from_pem(std::string_view pem);
  /// Takes its own reference: the object must not change from now on. Errors: as from_der.
  [[nodiscard]] static Result<Certificate> from_x509(X509* certificate);

  [[nodiscard]] const Bytes& der() const noexcept;
  [[nodiscard]] std::string to_pem() const;

  /// Errors: bad_key, if usher does not accept this kind of key (an authority may have another kind).
  [[nodiscard]] Result<crypto::PublicKey> public_key() const;
  /// SHA-256 of the DER.
  [[nodiscard]] const Hash256& fingerprint() const noexcept;
  /// SHA-256 of the SubjectPublicKeyInfo; equals public_key()->fingerprint().
  [[nodiscard]] const Hash256& key_fingerprint() const noexcept;

  /// "CN=…, O=…", clean UTF-8, for people. A person's holds the civil number: never log it.
  [[nodiscard]] std::string subject_text() const;
  [[nodiscard]] std::string issuer_text() const;
  /// The first value of an attribute ("CN", "O", "serialNumber", "GN", "SN", "C" or a dotted OID) of the subject or
  /// the issuer, as clean UTF-8; nullopt if it is absent, not text, or has control characters.
  [[nodiscard]] std::optional<std::string> subject_field(std::string_view attribute) const;
  [[nodiscard]] std::optional<std::string> issuer_field(std::string_view attribute) const;
  /// All values of an attribute of the subject that are clean text, in their order.
  [[nodiscard]] std::vector<std::string> subject_fields(std::string_view attribute) const;
  [[nodiscard]] std::string common_name() const;   // empty if absent
  [[nodiscard]] std::string organisation() const;  // empty if absent

  /// Lower case hexadecimal, without leading zeros.
  [[nodiscard]] std::string serial_hex() const;
  [[nodiscard]] Time not_before() const noexcept;
  [[nodiscard]] Time not_after() const noexcept;

  [[nodiscard]] std::vector<std::string> dns_names() const;
  [[nodiscard]] std::vector<IpAddress> ip_addresses() const;
  /// The extended key usages, dotted; nullopt if the extension is absent.
  [[nodiscard]] std::optional<std::vector<std::string>> extended_key_usages() const;
  [[nodiscard]] bool has_eku(std::string_view dotted) const;
  /// OpenSSL's KU_… bits; all ones when the extension is absent.
  [[nodiscard]] std::uint32_t key_usage() const noexcept;
  /// Whether basicConstraints has cA, whatever the key usage. RFC 5280 decides by this alone which lists cover it.
  [[nodiscard]] bool has_ca_flag() const noexcept;
  /// Whether it may issue certificates: has_ca_flag(), and its key usage permits it.
  [[nodiscard]] bool may_certify() const noexcept;
  /// Whether it is an authority's certificate (§1.2): by its basicConstraints, or because OpenSSL treats it as one.
  [[nodiscard]] bool is_ca() const noexcept;
  /// Subject and issuer are equal.
  [[nodiscard]] bool is_self_issued() const noexcept;

  /// For use inside pki, person and card, and for TLS contexts. Do not change it.
  [[nodiscard]] X509* x509() const noexcept;

  friend bool operator==(const Certificate& a, const Certificate& b) noexcept { return a.der() == b.der(); }

 private:
  struct Parsed;
  explicit Certificate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  /// Takes over a reference.
  [[nodiscard]] static Result<Certificate> of(X509* taken, Bytes der);
  std::shared_ptr<const Parsed> parsed_;
};

using Chain = std::vector<Certificate>;  // leaf first

/// Whether subject_field() and subject_fields() know an attribute of this name.
[[nodiscard]] bool is_attribute(std::string_view name);

/// All certificates of a PEM text in their order, 1 to `max`. Errors: Certificate::from_der's.
[[nodiscard]] Result<Chain> chain_from_pem(std::string_view pem, std::size_t max = kMaxChain);
/// A bundle of anchors or intermediates from a file: 1 to 256.
[[nodiscard]] Result<Chain> bundle_from_pem(std::string_view pem);
/// A chain as a peer sends it: 1 to kMaxChain certificates of DER. Errors: Certificate::from_der's.
[[nodiscard]] Result<Chain> chain_from_der(std::span<const View> certificates);
[[nodiscard]] std::string to_pem(std::span<const Certificate> chain);

}  // namespace usher::pki
