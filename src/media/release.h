// media/release: the file that a distributor sends to an operator.  Spec: release.md §4.
#pragma once

#include <functional>

#include "media/parts.h"

namespace usher::media {

/// Called with the number of bytes done and the total number; returns false to cancel.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// The root over `media` in chunks of `chunk_size`. Errors: malformed, empty; too_long; truncated; cancelled; io.
[[nodiscard]] Result<Hash256> root_of(const Source& media, std::uint32_t chunk_size, const Progress& progress = {});

/// Writes a release for one recipient. Reads `media` once more, and refuses it if it differs from the manifest.
/// `parts`: the plaintexts of the manifest's parts, in its order.
/// Errors: release_mismatch, bad_key, truncated, cancelled; the source's and the sink's.
[[nodiscard]] Result<> write_release(const SignedManifest& manifest, const Source& media, const Wrapper& recipient,
                                     Sink& sink, Random& random, const Progress& progress = {},
                                     Suite suite = Suite::aes256_gcm, const std::vector<Bytes>& parts = {});

/// Checks that a manifest describes this medium and an object of this layout. Errors: release_mismatch.
[[nodiscard]] Result<> check_belongs(const Manifest& manifest, const Id128& medium, const Layout& layout);

/// The fields of a release that can be read without a key. They are not authenticated.
struct ReleaseOutline {
  Id128 medium{};
  Header manifest;
  Header media;
  std::uint64_t parts_offset = 0;
  std::uint64_t media_offset = 0;  // the parts lie before it
  /// Errors: malformed, truncated, unsupported, too_long.
  [[nodiscard]] static Result<ReleaseOutline> read(const SourcePtr& source);
};

/// An opened release: manifest, parts and media belong together. Signature and signer are not checked here.
class Release {
 public:
  /// Errors: as SealedObject::open; release_mismatch.
  [[nodiscard]] static Result<Release> open(const SourcePtr& source, const Unwrapper& key);
  [[nodiscard]] const SignedManifest& signed_manifest() const noexcept { return signed_; }
  [[nodiscard]] const Manifest& manifest() const noexcept { return manifest_; }
  [[nodiscard]] const SealedObject& media() const noexcept { return media_; }
  [[nodiscard]] const SealedParts& parts() const noexcept { return parts_; }
  /// Opens every chunk and compares the root. Errors: chunk_damaged with its number; release_mismatch; cancelled.
  [[nodiscard]] Result<> verify_media(const Progress& progress = {}) const;

 private:
  Release(SignedManifest signed_manifest, Manifest manifest, SealedParts parts, SealedObject media)
      : signed_(std::move(signed_manifest)),
        manifest_(std::move(manifest)),
        parts_(std::move(parts)),
        media_(std::move(media)) {}
  SignedManifest signed_;
  Manifest manifest_;
  SealedParts parts_;
  SealedObject media_;
};

}  // namespace usher::media
