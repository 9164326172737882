// store/records: the values that the store keeps.  Spec: licence.md §7.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "licence/play.h"
#include "licence/terms.h"

namespace usher::store {

/// The sender of a request: the authenticated person, and the installation that opened the channel.
struct Caller {
  Hash256 pseudonym{};
  Hash256 installation{};  // SHA-256 of the client certificate's public key (SPKI)
};

/// A request that changes state. `id` is unique per person; `content` is the SHA-256 of path and body.
struct Operation {
  Id128 id{};
  Hash256 content{};
};

/// A part of a list, in the order of addition.
struct Range {
  std::uint32_t offset = 0;
  std::uint32_t count = 256;
};
template <class T>
struct Page {
  std::uint32_t total = 0;  // entries of the whole list
  std::vector<T> entries;
};

struct MediumRecord {
  Id128 id{};
  Hash256 manifest{};              // SHA-256 of the manifest's bytes
  Id128 object{};                  // the vault's sealed object with the media
  std::uint32_t chunk_size = 0;    // bytes
  std::uint64_t size = 0;          // bytes of the media
  licence::Extent extent;          // which chunks belong to which time, from the manifest
  Time added_at{};                 // set by the store
  std::optional<Time> removed_at;  // set by the store; kept, so that old licences stay readable
};

struct Licence {
  licence::LicenceTerms terms;
  std::string document;  // the JWS
  licence::Standing standing;
  std::uint32_t open_plays = 0;
  bool medium_removed = false;  // the medium is not in the catalogue now: it cannot be played
  bool repeated = false;        // the operation was carried out before; this is what it stored then
};

/// What one person may acquire of one medium over all time (§3.1).
struct AcquisitionLimit {
  std::optional<std::uint32_t> licences;  // empty: any number
  std::optional<std::uint32_t> plays;     // of all licences together; if set, no licence for a time; empty: any number
};

/// An open play, as returned to the listener.
struct OpenPlay {
  Id128 play{};
  Id128 licence{};
  Id128 medium{};
  std::uint64_t epoch = 0;
  Time deadline{};
  std::optional<std::uint32_t> plays_left;  // empty: not counted
  bool committed = false;
  Seconds commit_after{0};         // the operator's policy
  std::uint32_t free_left = 0;     // chunks that can be granted before the play counts; 0 when it counts
  std::uint32_t repeats_left = 0;  // chunks that can be granted once more
  wire::ChunkRanges heard;         // of the person and the medium; empty when the play counts
  bool repeated = false;           // the operation was carried out before; nothing has changed
};

struct OpenRequest {
  Id128 medium{};
  std::optional<Id128> licence;  // empty: the usable licence that ends first, then the oldest
};

struct GrantRequest {
  Id128 play{};
  Id128 medium{};
  std::uint64_t epoch = 0;
  std::uint32_t chunk = 0;
};

struct Granted {
  MediumRecord medium;             // the medium of the chunk
  bool committed = false;          // the play counts
  std::uint32_t repeats_left = 0;  // chunks that can be granted once more
};

struct Closed {
  bool refunded = false;
  std::optional<std::uint32_t> plays_left;
  bool repeated = false;  // the operation was carried out before; nothing has changed
};

struct Person {
  Hash256 pseudonym{};
  Time first_seen{};
  Time last_seen{};
};

/// The newest CRL that was seen from one issuer; it never decreases.
struct FloorRecord {
  Bytes number;  // CRL number, big endian, without leading zeros, at most 20 bytes
  Time this_update{};
  friend bool operator==(const FloorRecord&, const FloorRecord&) = default;
};

}  // namespace usher::store
