#include "channel/peer.h"

#include "crypto/mac.h"

namespace usher::channel {
namespace {

constexpr std::size_t kSpaces = 64;

std::string_view context_of(Side side) noexcept {
  return side == Side::server ? "usher/1 server proof" : "usher/1 client proof";
}

Result<pki::Chain> parsed(std::span<const Bytes> certificates) {
  const std::vector<View> views(certificates.begin(), certificates.end());
  auto chain = pki::chain_from_der(views);
  if (!chain) return fail(Fault::bad_certificate, "peer: certificate", std::move(chain.error().about));
  return chain;
}

}  // namespace

Bytes signed_bytes(Side side, View transcript_hash) {
  constexpr std::uint8_t kEnd = 0;
  const Bytes spaces(kSpaces, 0x20);
  return concat({spaces, view_of(context_of(side)), View{&kEnd, 1}, transcript_hash});
}

Result<wire::Proof> prove(const crypto::Signer& signer, Side side, View transcript_hash) {
  USHER_TRY(Bytes signature, signer.sign(signed_bytes(side, transcript_hash)));
  return wire::Proof{static_cast<std::uint16_t>(signer.scheme()), std::move(signature)};
}

Result<PeerVerified> verify_peer(const pki::TrustStore& trust, Side side, std::span<const Bytes> certificates,
                                 const wire::Proof& proof, View transcript_hash, Time now,
                                 const pki::ServerName* name) {
  USHER_TRY(const pki::Chain chain, parsed(certificates));
  USHER_TRY(pki::VerifiedPeer peer, trust.verify(chain, now, name));
  const auto role = side == Side::server ? pki::Role::server : pki::Role::client;
  if (peer.role() != role) return fail(Fault::wrong_role, "peer: role");
  // §4.2 allows only two schemes. PKCS#1 is for cards only.
  const auto scheme = crypto::scheme_of(proof.scheme);
  if (!scheme || *scheme == crypto::SignatureScheme::rsa_pkcs1_sha256) {
    return fail(Fault::bad_signature, "peer: signature scheme");
  }
  USHER_CHECK(peer.public_key().verify(*scheme, signed_bytes(side, transcript_hash), proof.signature));
  return PeerVerified(std::move(peer));
}

Bytes finished_data(const Suite& suite, const crypto::Secret& finished_key, View hash) {
  return crypto::hmac(suite.digest, finished_key.expose(), {hash});
}

Result<FinishVerified> verify_finished(const Suite& suite, const crypto::Secret& finished_key, View hash,
                                       View verify_data) {
  if (verify_data.size() != suite.digest_size()) return fail(Fault::malformed, "finished: size");
  if (!crypto::equal_constant_time(finished_data(suite, finished_key, hash), verify_data)) {
    return fail(Fault::bad_finished, "finished");
  }
  return FinishVerified();
}

}  // namespace usher::channel
