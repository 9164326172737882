// client/catalogue: what the server offers, as far as a distributor vouches for it.  Spec: release.md §2, identity.md §3.5.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "identity/trust.h"
#include "media/manifest.h"

namespace usher::client {

/// Made by verify_manifest alone: the manifest's signature holds, and its chain leads to a distributor's root.
class Medium {
 public:
  [[nodiscard]] const Id128& id() const noexcept { return manifest_.medium; }
  [[nodiscard]] const media::Manifest& manifest() const noexcept { return manifest_; }
  /// What licences name.
  [[nodiscard]] const Hash256& hash() const noexcept { return hash_; }
  /// Who signed, from the certificate.
  [[nodiscard]] const std::string& signer() const noexcept { return signer_; }

 private:
  friend Result<Medium> verify_manifest(View, const identity::TrustStore&, Time, const std::optional<Id128>&);
  Medium(media::Manifest manifest, const Hash256& hash, std::string signer)
      : manifest_(std::move(manifest)), hash_(hash), signer_(std::move(signer)) {}
  media::Manifest manifest_;
  Hash256 hash_;
  std::string signer_;
};

/// `signed_manifest`: as on the wire. `medium`: which one it must be.
/// Errors: malformed, unsupported, too_long; those of TrustStore::verify_signed_at; bad_signature; release_mismatch
/// (another medium's).
[[nodiscard]] Result<Medium> verify_manifest(View signed_manifest, const identity::TrustStore& distributors, Time now,
                                             const std::optional<Id128>& medium);

/// One line of the catalogue. One that cannot be trusted keeps its number, and is not played.
struct CatalogueItem {
  Id128 id{};
  Result<Medium> medium;
  std::size_t number = 0;  // by which people name it: see client/numbers; the engine counts from 1
};

}  // namespace usher::client
