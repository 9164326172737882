// media/manifest: the description of a medium, which its distributor signs.  Spec: release.md §2.
#pragma once

#include <vector>

#include "crypto/key.h"
#include "media/sealed.h"
#include "wire/extent.h"

namespace usher::media {

inline constexpr std::size_t kMaxName = 512;           // bytes of title, artist, album, distributor
inline constexpr std::size_t kMaxDescription = 4096;   // bytes
inline constexpr std::size_t kMaxMediaType = 127;      // bytes
inline constexpr std::size_t kMaxManifest = 16 << 10;  // bytes, encoded
inline constexpr std::size_t kMaxSeekPoints = 1'024;
inline constexpr std::size_t kMaxParts = 8;
inline constexpr std::size_t kMaxCover = 512 << 10;  // bytes
inline constexpr std::size_t kMaxChain = 16 << 10;   // bytes of all certificates
inline constexpr std::size_t kMaxCertificates = 4;
inline constexpr std::size_t kMaxSignedManifest = 34 << 10;  // bytes, encoded

/// The largest number of bytes of a medium's structure set, and also of its head (§2.5, §2.6). `size`: the medium's.
[[nodiscard]] std::uint64_t max_header(std::uint64_t size) noexcept;

/// What a player must be able to present.
enum class MediaKind : std::uint8_t { audio = 1, video = 2 };

/// A player that gets the medium's first `head` bytes and then all bytes from `offset` begins at `time_ms` (§2.6).
struct SeekPoint {
  std::uint64_t time_ms = 0;
  std::uint64_t offset = 0;  // bytes of the medium
  bool operator==(const SeekPoint&) const = default;
};

/// An addition to a medium that is not played, in its own sealed object (§2.7).
enum class PartKind : std::uint8_t { cover = 1 };  // a JPEG, at most kMaxCover bytes
struct Part {
  PartKind kind = PartKind::cover;
  std::uint32_t size = 0;  // bytes, from 1
  Hash256 hash{};          // SHA-256 of its bytes
  Id128 object{};          // the sealed object that holds it
  bool operator==(const Part&) const = default;
};

/// All texts are clean UTF-8 (base/encoding.h).
struct Manifest {
  Id128 medium{};           // names it in the catalogue
  std::string title;        // 1..kMaxName bytes
  std::string artist;       // 0..kMaxName
  std::string album;        // 0..kMaxName
  std::string description;  // 0..kMaxDescription
  std::string media_type;   // "audio/ogg"; 3..kMaxMediaType
  MediaKind kind = MediaKind::audio;
  std::uint64_t duration_ms = 0;  // from 1; below 2^53
  std::uint64_t size = 0;         // bytes, from 1
  std::uint32_t chunk_size = kDefaultChunkSize;
  std::uint32_t chunks = 0;      // chunks_of(size, chunk_size); at most kMaxChunks
  Hash256 root{};                // merkle.h
  Id128 object{};                // the sealed object that holds it
  wire::ChunkRanges structure;   // chunks of only headers or index: at most the greater of 1 MiB and 2 % of `size`
  wire::SecondsTable seconds{};  // chunks outside of them that the first seconds need (§2.5)
  std::uint32_t head = 0;        // bytes that a player gets first, wherever it begins; at most max_header()
  std::vector<SeekPoint> seek;   // rising in time and offset, at most kMaxSeekPoints
  std::vector<Part> parts;       // at most kMaxParts
  std::int64_t pressed_at = 0;   // unix seconds, 0..2^53-1
  std::string distributor;       // 1..kMaxName

  /// The data that fair counting needs (licence.md §5.2).
  [[nodiscard]] wire::Extent extent() const;

  /// Precondition: valid().
  [[nodiscard]] Bytes encode() const;
  /// Errors: malformed, unsupported (another version).
  [[nodiscard]] static Result<Manifest> decode(View bytes);
  /// Whether every field is within its bounds. Errors: malformed, with the field's name.
  [[nodiscard]] Result<> valid() const;
  bool operator==(const Manifest&) const = default;
};

/// A manifest as exact bytes, the distributor's signature and certificates (DER, the leaf first).
struct SignedManifest {
  Bytes manifest;
  crypto::SignatureScheme scheme = crypto::SignatureScheme::ecdsa_p256_sha256;
  Bytes signature;
  std::vector<Bytes> chain;  // 1..kMaxCertificates

  /// Errors: malformed (a field out of bounds; chain), the signer's.
  [[nodiscard]] static Result<SignedManifest> sign(const Manifest& manifest, const crypto::Signer& signer,
                                                   std::vector<Bytes> chain);
  [[nodiscard]] Bytes encode() const;
  /// Structure and bounds only; the manifest inside is decoded by contents(). Errors: malformed, unsupported.
  [[nodiscard]] static Result<SignedManifest> decode(View bytes);

  /// Verifies the signature over the exact bytes (§2.3). The caller must check, with `chain`, that `key` is a
  /// distributor's.
  /// Errors: bad_signature.
  [[nodiscard]] Result<> verify(const crypto::PublicKey& key) const;
  [[nodiscard]] Result<Manifest> contents() const { return Manifest::decode(manifest); }
  /// SHA-256 of the exact manifest bytes. A licence names a manifest by it.
  [[nodiscard]] Hash256 hash() const;
};

}  // namespace usher::media
