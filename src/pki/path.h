// pki/path: path validation (RFC 5280 §6) by OpenSSL, with the settings that make it safe.  Spec: identity.md §3.
//
// It does not check roles and names. Programs use TrustStore (trust.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/ocsp.h"

namespace usher::pki {

enum class RevocationMode : std::uint8_t {
  chain,  // a CRL for every certificate below the root (and the root's own)
  leaf,   // for the leaf only
  none,   // explicitly switched off
};

/// RFC 5280 §6.1.1 (c), (e), (f), (g).
struct PolicyInputs {
  std::vector<std::string> initial_policies;  // dotted; empty: any policy
  bool require_explicit = false;
  bool inhibit_mapping = false;
  bool inhibit_any = false;
};

struct PathOptions {
  Time at{};
  RevocationMode revocation = RevocationMode::chain;
  bool strict = false;  // X509_V_FLAG_X509_STRICT
  int max_intermediates = 4;
  int security_level = 2;        // OpenSSL's: RSA 2048, SHA-256 and above; no level allows MD5, or SHA-1 but with DSA
  bool tolerate_expiry = false;  // of certificates, for signatures of the past (TrustStore::verify_signed_at)
  PolicyInputs policy{};
  RevocationTolerance tolerance{};
  const AnswerOf* answers = nullptr;  // of responders, in addition to lists (§4.8); nullptr: they do not count
};

/// Anchors, and the intermediates and lists that paths to them need. Immutable; thread-safe.
class PathTrust {
 public:
  /// Errors: bad_config (no anchor, or one that is not self-issued).
  [[nodiscard]] static Result<PathTrust> make(Chain anchors, Chain intermediates, std::vector<Crl> crls);
  [[nodiscard]] const Chain& anchors() const noexcept { return anchors_; }
  [[nodiscard]] const Chain& intermediates() const noexcept { return intermediates_; }
  [[nodiscard]] const std::vector<Crl>& crls() const noexcept { return crls_; }
  [[nodiscard]] X509_STORE* store() const noexcept { return store_.get(); }

 private:
  PathTrust() = default;
  Chain anchors_;
  Chain intermediates_;
  std::vector<Crl> crls_;
  std::shared_ptr<X509_STORE> store_;
};

/// Leaf first, the configured root last.
struct VerifiedPath {
  Chain chain;
  Time answers_until = Time::max();  // when the first responder's answer about it ends
};

/// `chain`: the leaf, then untrusted certificates that may help, in any order. On an error, `depth`, if given, is the
/// index in the path of the certificate that caused it; 0 is the leaf.
/// Errors, with the certificate and the reason in `about`: untrusted, certificate_expired, certificate_not_yet_valid,
/// revoked, revocation_unknown, crl_expired, bad_certificate.
[[nodiscard]] Result<VerifiedPath> verify_path(std::span<const Certificate> chain, const PathTrust& trust,
                                               const PathOptions& options, int* depth = nullptr);

}  // namespace usher::pki
