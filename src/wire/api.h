// wire/api: the bodies of the requests and responses inside records.  Spec: channel.md §9.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/extent.h"

namespace usher::wire {

// Paths, §9.2.
inline constexpr std::string_view kPathFinished = "api/finished";
inline constexpr std::string_view kPathAuth = "api/auth";
inline constexpr std::string_view kPathList = "api/list";
inline constexpr std::string_view kPathLicences = "api/licences";
inline constexpr std::string_view kPathLicense = "api/license";
inline constexpr std::string_view kPathPlays = "api/plays";
inline constexpr std::string_view kPathOpen = "api/play/open";
inline constexpr std::string_view kPathResume = "api/play/resume";
inline constexpr std::string_view kPathClose = "api/play/close";
inline constexpr std::string_view kPathDownload = "api/download";
inline constexpr std::string_view kPathExit = "api/exit";

inline constexpr std::string_view kParameterOperation = "operation";
inline constexpr std::uint32_t kNoLimit = 0xffffffff;      // plays_left of a time licence
inline constexpr std::size_t kMaxPageBody = 262'144;       // bytes, §9.2
inline constexpr std::size_t kMaxPersonName = 128;         // bytes of Authenticated's name
inline constexpr std::size_t kMaxJws = 8'192;              // bytes
inline constexpr std::size_t kMaxSignedManifest = 65'536;  // bytes
inline constexpr std::size_t kMaxHeardRanges = 8'192;      // §9.2
inline constexpr std::size_t kProofDepth = 24;             // hashes, §7

/// §9.1. Numbers on the wire. Each one except ok stands for one Fault.
enum class Status : std::uint16_t {
  ok = 0,
  malformed,
  unknown_path,
  not_authenticated,
  already_authenticated,
  bad_statement,
  bad_certificate,
  certificate_expired,
  revoked,
  revocation_unknown,
  unknown_medium,
  unknown_licence,
  unknown_licence_kind,
  acquisition_closed,
  no_licence,
  licence_expired,
  licence_not_yet_valid,
  licence_revoked,
  wrong_installation,
  unknown_play,
  play_over,
  stale_epoch,
  play_expired,
  budget_spent,
  unknown_chunk,
  operation_conflict,
  server_busy,
  internal,
  unexpected_message,
  bad_finished,
  too_many_plays,
  quota_spent,
  too_many_moves,
  server_full,
  medium_unavailable,
};
/// The status that reports a fault to a peer. A fault without a status of its own becomes a more general one: a fault
/// of a certificate chain becomes bad_certificate, every fault without a rule becomes `internal`.
[[nodiscard]] Status status_of(Fault fault) noexcept;
/// The fault that a status reports. Unknown numbers and ok give Fault::local. server_busy and others map back 1:1.
[[nodiscard]] Fault fault_of(Status status) noexcept;

struct Page {
  std::uint32_t offset = 0;
  std::uint32_t count = 256;  // 1..256
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Page> decode(View body);
};

struct Authenticated {
  Hash256 pseudonym{};
  std::string name;  // up to kMaxPersonName
  std::uint64_t session_end = 0;
  std::string server_id;
  std::vector<Bytes> licence_keys;  // 1..8, the current one first
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Authenticated> decode(View body);
};

struct CatalogueEntry {
  Id128 medium{};
  Bytes signed_manifest;
};
struct Catalogue {
  std::uint32_t total = 0;
  std::vector<CatalogueEntry> entries;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Catalogue> decode(View body);
};

enum class LicenceState : std::uint8_t { usable = 0, used_up = 1, expired = 2, not_yet_valid = 3, revoked = 4 };
/// In words, for people and for programs: "used up".
[[nodiscard]] std::string_view name_of(LicenceState state) noexcept;
struct LicenceEntry {
  std::string licence;           // JWS
  std::uint32_t plays_left = 0;  // kNoLimit for a time licence
  LicenceState state = LicenceState::usable;
  std::uint64_t first_play = 0;    // Unix seconds; 0: no play yet
  std::uint64_t usable_until = 0;  // Unix seconds, 0: no end
  std::uint32_t open_plays = 0;
  [[nodiscard]] Bytes encode() const;  // the body of Acquired
  [[nodiscard]] static Result<LicenceEntry> decode(View body);
};
struct Licences {
  std::uint32_t total = 0;
  std::vector<LicenceEntry> entries;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Licences> decode(View body);
};

enum class LicenceKind : std::uint8_t { plays = 1, time = 2 };
struct Acquire {
  Id128 medium{};
  std::uint8_t kind = 1;  // LicenceKind, unchecked: an unknown one is unknown_licence_kind, not malformed
  std::uint64_t amount = 1;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Acquire> decode(View body);
};

struct Open {
  Id128 medium{};
  std::optional<Id128> licence;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Open> decode(View body);
};
struct Opened {
  Id128 play{};
  std::uint64_t epoch = 0;
  Id128 licence{};
  Id128 medium{};
  std::uint32_t plays_left = 0;
  std::uint64_t deadline = 0;  // Unix seconds
  bool committed = false;
  std::uint32_t commit_after = 0;  // seconds, set by the operator (licence.md §5.1)
  std::uint32_t free_left = 0;     // chunks that can be granted before the play counts; 0 once it does
  std::uint32_t repeats_left = 0;  // chunks that can be granted once more
  ChunkRanges heard;               // chunks granted free so far, at most kMaxHeardRanges; empty once the play counts
  Bytes signed_manifest;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Opened> decode(View body);
};

struct PlayEntry {
  Id128 play{};
  Id128 medium{};
  Id128 licence{};
  std::uint64_t deadline = 0;
  bool committed = false;
};
struct Plays {
  std::vector<PlayEntry> entries;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Plays> decode(View body);
};

struct Resume {
  Id128 play{};
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Resume> decode(View body);
};
struct Close {
  Id128 play{};
  std::uint64_t epoch = 0;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Close> decode(View body);
};
struct Closed {
  bool refunded = false;
  std::uint32_t plays_left = 0;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Closed> decode(View body);
};

struct Chunk {
  Id128 play{};
  Id128 medium{};
  std::uint64_t epoch = 0;
  std::uint32_t chunk = 0;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Chunk> decode(View body);
};
/// The body of a chunk response, §7.
struct ChunkBody {
  std::vector<Hash256> proof;  // at most kProofDepth
  Bytes chunk;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<ChunkBody> decode(View body);
};

}  // namespace usher::wire
