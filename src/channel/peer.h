// channel/peer: proofs, as types, that the peer's identity was verified and that it saw the same handshake.
// Spec: channel.md §4.2, §4.3, §5.
#pragma once

#include <span>

#include "channel/suite.h"
#include "pki/trust_store.h"
#include "wire/handshake.h"

namespace usher::channel {

/// The side that makes a proof. The contexts of §4.2 differ.
enum class Side : std::uint8_t { client, server };

/// The peer's chain was accepted for its role, and its signature over the transcript is right. Only verify_peer makes
/// one.
class PeerVerified {
 public:
  [[nodiscard]] const pki::VerifiedPeer& peer() const noexcept { return peer_; }

 private:
  friend Result<PeerVerified> verify_peer(const pki::TrustStore&, Side, std::span<const Bytes>, const wire::Proof&,
                                          View, Time, const pki::ServerName*);
  explicit PeerVerified(pki::VerifiedPeer peer) : peer_(std::move(peer)) {}
  pki::VerifiedPeer peer_;
};

/// `certificates`: DER as sent. `transcript_hash`: H(T(2)) for a server, H(T(5)) for a client. `name`: for servers.
/// Errors: those of TrustStore::verify; bad_certificate (not DER); wrong_role (the store is for another role);
/// bad_signature (also a scheme that does not fit the key).
[[nodiscard]] Result<PeerVerified> verify_peer(const pki::TrustStore& trust, Side side,
                                               std::span<const Bytes> certificates, const wire::Proof& proof,
                                               View transcript_hash, Time now, const pki::ServerName* name);

/// The bytes that ServerProof and ClientProof sign: 64 spaces ‖ context ‖ 0 ‖ hash.
[[nodiscard]] Bytes signed_bytes(Side side, View transcript_hash);
/// Errors: the signer's.
[[nodiscard]] Result<wire::Proof> prove(const crypto::Signer& signer, Side side, View transcript_hash);

/// The peer's Finished covers the transcript that we saw. Only verify_finished makes one.
class FinishVerified {
 private:
  friend Result<FinishVerified> verify_finished(const Suite&, const crypto::Secret&, View, View);
  FinishVerified() = default;
};

/// HMAC(key, hash). `hash`: H(T(7)) for the client, H(T(8)) for the server.
[[nodiscard]] Bytes finished_data(const Suite& suite, const crypto::Secret& finished_key, View hash);
/// Errors: bad_finished.
[[nodiscard]] Result<FinishVerified> verify_finished(const Suite& suite, const crypto::Secret& finished_key, View hash,
                                                     View verify_data);

}  // namespace usher::channel
