#include "client/engine/catalogue.h"

namespace usher::client {

Result<VerifiedMedium> verify_manifest(View signed_manifest, const pki::TrustStore& distributors, Time now,
                                       const std::optional<Id128>& medium) {
  USHER_TRY(const media::SignedManifest document, media::SignedManifest::decode(signed_manifest));
  std::vector<View> certificates(document.chain.begin(), document.chain.end());
  USHER_TRY(const pki::Chain chain, pki::chain_from_der(certificates));
  // Before the signature is verified, the manifest's time is only a claim. It only selects the time at which the chain
  // is verified.
  USHER_TRY(media::Manifest manifest, document.contents());
  USHER_TRY(const pki::VerifiedPeer peer,
            distributors.verify_signed_at(chain, from_unix_seconds(manifest.pressed_at), now));
  USHER_CHECK(document.verify(peer.public_key()));
  if (medium && manifest.medium != *medium) {
    return fail(Fault::release_mismatch, "catalogue: another medium", {},
                "It is not played; tell the server's operator.");
  }
  return VerifiedMedium(std::move(manifest), document.hash(), peer.certificate().common_name());
}

}  // namespace usher::client
