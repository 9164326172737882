// client/engine/catalogue: the server's catalogue, verified by distributor signatures.
// Spec: release.md §2, identity.md §3.5.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "media/manifest.h"
#include "pki/trust_store.h"

namespace usher::client {

/// A verified medium. Only verify_manifest makes one: the manifest's signature is valid, and its chain ends in a
/// distributor's root.
class VerifiedMedium {
 public:
  [[nodiscard]] const Id128& id() const noexcept { return manifest_.medium; }
  [[nodiscard]] const media::Manifest& manifest() const noexcept { return manifest_; }
  /// Hash of the manifest; licences name the medium by it.
  [[nodiscard]] const Hash256& hash() const noexcept { return hash_; }
  /// The signer's common name, from the certificate.
  [[nodiscard]] const std::string& signer() const noexcept { return signer_; }

 private:
  friend Result<VerifiedMedium> verify_manifest(View, const pki::TrustStore&, Time, const std::optional<Id128>&);
  VerifiedMedium(media::Manifest manifest, const Hash256& hash, std::string signer)
      : manifest_(std::move(manifest)), hash_(hash), signer_(std::move(signer)) {}
  media::Manifest manifest_;
  Hash256 hash_;
  std::string signer_;
};

/// `signed_manifest`: as on the wire. `medium`: the expected medium; empty: any.
/// Errors: malformed, unsupported, too_long; those of TrustStore::verify_signed_at; bad_signature; release_mismatch
/// (the manifest is of another medium).
[[nodiscard]] Result<VerifiedMedium> verify_manifest(View signed_manifest, const pki::TrustStore& distributors,
                                                     Time now, const std::optional<Id128>& medium);

/// One line of the catalogue. An item that cannot be trusted keeps its number, and is not played.
struct CatalogueItem {
  Id128 id{};
  Result<VerifiedMedium> medium;
  std::size_t number = 0;  // the number that people type: see client/numbers; the engine counts from 1
};

}  // namespace usher::client
