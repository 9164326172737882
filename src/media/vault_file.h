// media/vault_file: one medium of the vault as a file.  Spec: sealed.md §6.2.
//
//   magic ‖ medium's id ‖ sizes ‖ sealed manifest ‖ sealed tree ‖ sealed media, each for the vault key
#pragma once

#include "media/vault.h"

namespace usher::media::detail {

inline constexpr std::uint32_t kTreeChunkSize = kMinChunkSize;  // bytes: 128 nodes
inline constexpr std::size_t kMaxTreeInMemory = 4 << 20;        // bytes

/// The three parts of a vault's file; nothing is opened yet.
struct VaultParts {
  SourcePtr manifest;
  SourcePtr tree;
  SourcePtr media;
};
/// Errors: malformed, truncated, wrong_object (the file is another medium's).
[[nodiscard]] Result<VaultParts> vault_parts(const SourcePtr& file, const Id128& medium);

/// The error, with the medium's name before what it is about.
[[nodiscard]] std::unexpected<Error> of_medium(Error error, const Id128& medium);

/// How the sealed tree of an object is laid out.
[[nodiscard]] Layout tree_layout(const Layout& media);

/// Writes the file of an opened release. Errors: release_mismatch, cancelled; the release's and the file's.
[[nodiscard]] Result<> write_vault_file(const Release& release, const Kek& kek, NewFile& file, Random& random,
                                        const Progress& progress);

/// Errors: as Vault::manifest.
[[nodiscard]] Result<SignedManifest> read_manifest(const VaultParts& parts, const Id128& medium, const Kek& kek);

/// A medium in its file.
class MediumFile final : public Medium {
 public:
  /// Errors: as Vault::open_medium.
  [[nodiscard]] static Result<std::shared_ptr<const MediumFile>> open(const SourcePtr& file, const Id128& medium,
                                                                      const Kek& kek);
  [[nodiscard]] const Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const SignedManifest& signed_manifest() const noexcept override { return signed_; }
  [[nodiscard]] Result<Chunk> read_chunk(std::uint64_t index) const override;
  /// Errors: as Vault::verify.
  [[nodiscard]] Result<> verify(const Progress& progress) const;

 private:
  MediumFile(SignedManifest signed_manifest, Manifest manifest, SealedObject media, SealedObject tree)
      : signed_(std::move(signed_manifest)),
        manifest_(std::move(manifest)),
        media_(std::move(media)),
        tree_(std::move(tree)) {}
  [[nodiscard]] Result<> load_tree();
  /// Reads nodes from memory or, chunk by chunk, from the file; keeps the last chunk that it read.
  [[nodiscard]] NodeReader node_reader() const;

  SignedManifest signed_;
  Manifest manifest_;
  SealedObject media_;
  SealedObject tree_;
  crypto::Secret nodes_;  // the tree, where it is small: hashes would tell which recording it is
};

}  // namespace usher::media::detail
