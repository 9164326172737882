// channel/key_schedule: derives every key of a session from the shared secret.  Spec: channel.md §5, §7.
#pragma once

#include "channel/peer.h"
#include "channel/suite.h"
#include "crypto/mac.h"
#include "wire/api.h"
#include "wire/handshake.h"

namespace usher::channel {

/// Keys of one direction of records. Those that the suite does not use are empty.
struct DirectionKeys {
  crypto::Secret key;      // the cipher's key size
  crypto::Secret mac_key;  // suites with HMAC: size of H
  crypto::Secret iv;       // AEADs and ChaCha20: 12 bytes
};

/// The keys that are derived from T(6), §5.
struct TrafficKeys {
  DirectionKeys client_write;
  DirectionKeys server_write;
  crypto::Secret chunk_secret;
  crypto::Secret client_finished_key;
  crypto::Secret server_finished_key;
};

/// K(label, t, n) = HKDF-Expand(PRK, "usher/1 " ‖ label ‖ 0x00 ‖ H(T(t)), n).
[[nodiscard]] crypto::Secret expand_label(const crypto::HmacKey& prk, std::string_view label, View transcript_hash,
                                          std::size_t size);

/// Holds PRK as an HMAC key. OpenSSL wipes the key when it is destroyed.
class KeySchedule {
 public:
  /// Consumes Z.
  KeySchedule(const Suite& suite, const wire::ChannelRandom& client_random, const wire::ChannelRandom& server_random,
              crypto::Secret shared);

  /// Protects the client's identity. `hash`: H(T(4)).
  [[nodiscard]] DirectionKeys handshake(View hash) const;
  /// `hash`: H(T(6)). `peer` proves the check: there are no traffic keys for a peer that was not verified.
  [[nodiscard]] TrafficKeys traffic(const PeerVerified& peer, View hash) const;
  /// `hash`: H(T(8)). Consumes the schedule.
  [[nodiscard]] crypto::Secret exporter_secret(const FinishVerified& finish, View hash) &&;

 private:
  [[nodiscard]] DirectionKeys direction(std::string_view prefix, View hash) const;
  const Suite* suite_;
  crypto::HmacKey prk_;
};

/// exporter(label): 32 bytes.
[[nodiscard]] Hash256 exported(const Suite& suite, const crypto::Secret& exporter_secret, std::string_view label);

/// The numbers in a request for a chunk. For a malformed body they are all zero.
struct ChunkIds {
  Id128 play{};
  Id128 medium{};
  std::uint32_t chunk = 0;
  /// Reads the body of an `api/download`.
  [[nodiscard]] static ChunkIds of_body(View body) noexcept;
  bool operator==(const ChunkIds&) const = default;
};

/// Makes the cipher key of each chunk response. May be used from many threads at once.
class ChunkKeys {
 public:
  ChunkKeys(const Suite& suite, const crypto::Secret& chunk_secret);
  /// `sequence`: the response record's.
  [[nodiscard]] crypto::Secret key(const ChunkIds& ids, std::uint64_t sequence) const;

 private:
  const Suite* suite_;
  crypto::HmacKey secret_;
};

}  // namespace usher::channel
