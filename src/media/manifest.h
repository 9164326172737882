// media/manifest: what a distributor says and signs of a medium.  Spec: release.md §2.
#pragma once

#include <vector>

#include "crypto/key.h"
#include "media/sealed.h"

namespace usher::media {

inline constexpr std::size_t kMaxName = 512;          // bytes of title, artist, album, distributor
inline constexpr std::size_t kMaxDescription = 4096;  // bytes
inline constexpr std::size_t kMaxMediaType = 127;     // bytes
inline constexpr std::size_t kMaxManifest = 8 << 10;  // bytes, encoded
inline constexpr std::size_t kMaxChain = 16 << 10;    // bytes of all certificates
inline constexpr std::size_t kMaxCertificates = 4;
inline constexpr std::size_t kMaxSignedManifest = 26 << 10;  // bytes, encoded

/// All texts are clean UTF-8 (base/encoding.h).
struct Manifest {
  Id128 medium{};                 // names it in the catalogue
  std::string title;              // 1..kMaxName bytes
  std::string artist;             // 0..kMaxName
  std::string album;              // 0..kMaxName
  std::string description;        // 0..kMaxDescription
  std::string media_type;         // "audio/ogg"; 3..kMaxMediaType
  std::uint64_t duration_ms = 0;  // 0: not known; below 2^53
  std::uint64_t size = 0;         // bytes, from 1
  std::uint32_t chunk_size = kDefaultChunkSize;
  std::uint32_t chunks = 0;     // as size and chunk_size make it; at most kMaxChunks
  Hash256 root{};               // merkle.h
  Id128 object{};               // the sealed object that holds it
  std::int64_t pressed_at = 0;  // unix seconds, 0..2^53-1
  std::string distributor;      // 1..kMaxName

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

  /// The signature over the exact bytes (§2.3). That `key` is a distributor's is the caller's to check, by `chain`.
  /// Errors: bad_signature.
  [[nodiscard]] Result<> verify(const crypto::PublicKey& key) const;
  [[nodiscard]] Result<Manifest> contents() const { return Manifest::decode(manifest); }
  /// SHA-256 of the exact manifest bytes: what a licence names.
  [[nodiscard]] Hash256 hash() const;
};

}  // namespace usher::media
