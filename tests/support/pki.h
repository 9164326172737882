// support/pki: throw-away authorities and certificates for tests. Everything is made per run.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "crypto/random.h"
#include "pki/issue.h"
#include "pki/trust_store.h"

namespace usher::test {

/// The value, or an exception with the error's code: for set-up, not for what a test is about.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(code_of(result.error().fault)) + ": " + explain(result.error()));
  return *std::move(result);
}
inline void must(Result<> result) {
  if (!result) throw std::runtime_error(std::string(code_of(result.error().fault)) + ": " + explain(result.error()));
}

inline const Time kNow = from_unix_seconds(1'800'000'000);  // 2027-01-15
inline constexpr Milliseconds kDay = std::chrono::hours(24);

inline crypto::SystemRandom& randomness() {
  static crypto::SystemRandom random;
  return random;
}

inline crypto::PrivateKey new_key(crypto::NewKey kind = crypto::NewKey::p256) {
  return must(crypto::PrivateKey::generate(kind));
}

inline pki::Validity around(Time when, int days_before = 10, int days_after = 100) {
  return {when - days_before * kDay, when + days_after * kDay};
}

/// A certificate and its private key.
struct Identity {
  pki::Certificate certificate;
  crypto::PrivateKey key;
};

/// An authority with its key.
struct Authority {
  pki::Certificate certificate;
  crypto::PrivateKey key;

  static Authority root(const std::string& name = "test root", pki::Validity validity = around(kNow, 1000, 1000)) {
    crypto::PrivateKey key = new_key();
    auto certificate = must(pki::issue_root({.name = {.common_name = name}, .validity = validity}, key, randomness()));
    return {std::move(certificate), std::move(key)};
  }
  [[nodiscard]] pki::Issuer issuer() const { return {certificate, key}; }

  [[nodiscard]] Authority sub(const std::string& name = "test sub", pki::Validity validity = around(kNow, 1000, 900),
                              pki::CertificateUrls urls = {}) const {
    crypto::PrivateKey sub_key = new_key();
    auto sub_certificate =
        must(pki::issue_sub_ca(issuer(), {.name = {.common_name = name}, .validity = validity, .urls = std::move(urls)},
                               sub_key.public_key(), randomness()));
    return {std::move(sub_certificate), std::move(sub_key)};
  }

  [[nodiscard]] pki::Certificate certify(const pki::LeafRequest& request, const crypto::PublicKey& subject) const {
    return must(pki::issue_leaf(issuer(), request, subject, randomness()));
  }
  [[nodiscard]] Identity leaf(pki::LeafRequest request, crypto::NewKey kind = crypto::NewKey::p256) const {
    if (request.name.common_name.empty()) request.name.common_name = "test leaf";
    if (request.validity.not_after == Time{}) request.validity = around(kNow);
    crypto::PrivateKey leaf_key = new_key(kind);
    auto leaf_certificate = certify(request, leaf_key.public_key());
    return {std::move(leaf_certificate), std::move(leaf_key)};
  }
  [[nodiscard]] Identity leaf(pki::Role role, crypto::NewKey kind = crypto::NewKey::p256) const {
    pki::LeafRequest request{.role = role};
    if (role == pki::Role::server) request.dns_names = {"localhost"};
    return leaf(std::move(request), kind);
  }

  /// A complete CRL, or with `base` a delta; in force from a day before kNow to ten days after.
  [[nodiscard]] pki::Crl crl(std::uint64_t number = 1, const std::vector<pki::Certificate>& revoked = {},
                             std::optional<std::uint64_t> base = {}, Time this_update = kNow - kDay,
                             Time next_update = kNow + 10 * kDay) const {
    pki::CrlRequest request{
        .number = number, .base_number = base, .this_update = this_update, .next_update = next_update};
    for (const auto& one : revoked) {
      request.revoked.push_back({one.serial_hex(), this_update, pki::RevocationReason::key_compromise});
    }
    return must(pki::issue_crl(issuer(), request));
  }
};

inline std::shared_ptr<const pki::TrustStore> trust(pki::Role role, const Authority& root, std::vector<pki::Crl> crls) {
  return must(pki::TrustStore::make({.role = role, .anchors = {root.certificate}, .crls = std::move(crls)}));
}

}  // namespace usher::test
