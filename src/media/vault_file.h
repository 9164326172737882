// media/vault_file: the file of one medium in the vault.  Spec: sealed.md §6.2.
//
//   magic ‖ medium's id ‖ sizes ‖ sealed manifest ‖ sealed parts ‖ sealed tree ‖ sealed media
//
// Each sealed area is sealed with the vault key.
#pragma once

#include "media/vault.h"

namespace usher::media::detail {

inline constexpr std::uint32_t kTreeChunkSize = kMinChunkSize;  // bytes: 128 nodes
inline constexpr std::size_t kMaxTreeInMemory = 4 << 20;        // bytes

/// The areas of a vault's file; nothing is opened yet.
struct VaultAreas {
  SourcePtr manifest;
  SourcePtr parts;
  SourcePtr tree;
  SourcePtr media;
};
/// Errors: malformed, truncated, wrong_object (the file is another medium's).
[[nodiscard]] Result<VaultAreas> vault_areas(const SourcePtr& file, const Id128& medium);

/// The error, with the medium's name added before `about`.
[[nodiscard]] std::unexpected<Error> of_medium(Error error, const Id128& medium);

/// The layout of the sealed tree of an object.
[[nodiscard]] Layout tree_layout(const Layout& media);

/// Writes the file of an opened release. Errors: release_mismatch, cancelled; the release's and the file's.
[[nodiscard]] Result<> write_vault_file(const Release& release, const Kek& kek, NewFile& file, Random& random,
                                        const Progress& progress);

/// Errors: as Vault::manifest.
[[nodiscard]] Result<SignedManifest> read_manifest(const VaultAreas& areas, const Id128& medium, const Kek& kek);

/// A medium that is read from its file.
class MediumFile final : public MediumReader {
 public:
  /// Errors: as Vault::open_medium.
  [[nodiscard]] static Result<std::shared_ptr<const MediumFile>> open(const SourcePtr& file, const Id128& medium,
                                                                      const Kek& kek);
  [[nodiscard]] const Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const SignedManifest& signed_manifest() const noexcept override { return signed_; }
  [[nodiscard]] Result<Chunk> read_chunk(std::uint64_t index) const override;
  [[nodiscard]] Result<crypto::Secret> read_part(std::size_t index) const override;
  /// Errors: as Vault::verify.
  [[nodiscard]] Result<> verify(const Progress& progress) const;

 private:
  MediumFile(SignedManifest signed_manifest, Manifest manifest, SealedParts parts, SealedObject media,
             SealedObject tree)
      : signed_(std::move(signed_manifest)),
        manifest_(std::move(manifest)),
        parts_(std::move(parts)),
        media_(std::move(media)),
        tree_(std::move(tree)) {}
  [[nodiscard]] Result<> load_tree();
  /// Reads nodes from memory or, chunk by chunk, from the file; caches the last chunk that it read.
  [[nodiscard]] NodeReader node_reader() const;

  SignedManifest signed_;
  Manifest manifest_;
  SealedParts parts_;
  SealedObject media_;
  SealedObject tree_;
  crypto::Secret nodes_;  // the tree, if it is small; secret, because hashes would reveal which recording it is
};

}  // namespace usher::media::detail
