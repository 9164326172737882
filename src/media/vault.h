// media/vault: stores the operator's media, sealed, in a directory with one file per medium.  Spec: sealed.md §6.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "media/release.h"

namespace usher::media {

/// Makes a vault key and writes it to `file`, sealed with `sealed_for`. Errors: already_exists, disk_full, io; the
/// wrapper's.
[[nodiscard]] Result<> create_vault_key(const std::filesystem::path& file, const Wrapper& sealed_for, Random& random);
/// Errors: not_found, bad_passphrase, no_key_fits, header_damaged, wrong_object, …
[[nodiscard]] Result<crypto::Secret> open_vault_key(const std::filesystem::path& file, const Unwrapper& key);
/// True if a passphrase opens the vault key, false if a private key opens it. Errors: not_found, malformed, …
[[nodiscard]] Result<bool> vault_key_wants_passphrase(const std::filesystem::path& file);
/// Seals the same key for another recipient. Opens the new content with `next` before it replaces the old file.
/// Errors: those of `current`, `sealed_for`, `next` and the file; header_damaged, `next` opened another key.
[[nodiscard]] Result<> reseal_vault_key(const std::filesystem::path& file, const Unwrapper& current,
                                        const Wrapper& sealed_for, const Unwrapper& next, Random& random);

struct Chunk {
  crypto::Secret plaintext;
  Proof proof;
};

/// A medium opened for reading: header, manifest and tree have been checked against each other. Thread-safe.
/// Stays readable when the medium is removed. Memory: up to 4 MiB for the tree.
class MediumReader {
 public:
  virtual ~MediumReader() = default;
  [[nodiscard]] virtual const Manifest& manifest() const noexcept = 0;
  [[nodiscard]] virtual const SignedManifest& signed_manifest() const noexcept = 0;
  /// Errors, with the chunk's number: unknown_chunk, chunk_damaged, truncated, io.
  [[nodiscard]] virtual Result<Chunk> read_chunk(std::uint64_t index) const = 0;
  /// The plaintext of manifest().parts[index], checked against the signed manifest. Errors: not_found, there is no such
  /// part; chunk_damaged, truncated, io; release_mismatch.
  [[nodiscard]] virtual Result<crypto::Secret> read_part(std::size_t index) const = 0;
};

/// Thread-safe; several processes may use one directory.
class Vault {
 public:
  /// Makes the directory (mode 0700) if it does not exist, and removes the leftovers of interrupted imports.
  /// `random` is borrowed. Errors: not_permitted, disk_full, io; bad_key, a vault key of another size.
  [[nodiscard]] static Result<Vault> open(std::filesystem::path directory, crypto::Secret vault_key, Random& random);

  /// Whether a manifest's origin is trusted. The caller supplies it, because the caller knows the certificates. It must
  /// also call SignedManifest::verify().
  using CheckOrigin = std::function<Result<>(const SignedManifest&)>;

  /// Imports a release by rewrapping: opens every chunk and checks it against the manifest's root, copies the body
  /// unchanged, and makes a new header. Atomic. Memory: a few chunks. Replace::yes is for a damaged file.
  /// Errors: the release's, check_origin's, release_mismatch, cancelled, disk_full, io; already_exists, with
  /// Replace::no; not_a_file, a directory is in the file's place.
  [[nodiscard]] Result<SignedManifest> import(const SourcePtr& release, const Unwrapper& key,
                                              const CheckOrigin& check_origin, const Progress& progress = {},
                                              Replace replace = Replace::no) const;

  /// The ids of all media, in ascending order. Errors: io, not_permitted.
  [[nodiscard]] Result<std::vector<Id128>> list() const;
  /// Errors: unknown_medium; those of its file, as SealedObject::open and release_mismatch.
  [[nodiscard]] Result<std::shared_ptr<const MediumReader>> open_medium(const Id128& medium) const;
  /// The manifest of a medium, without opening the media. Errors: as open_medium.
  [[nodiscard]] Result<SignedManifest> manifest(const Id128& medium) const;
  /// Checks that the file of a medium exists and may be read. Opens nothing sealed in it. Errors: unknown_medium,
  /// not_permitted, io.
  [[nodiscard]] Result<> check_readable(const Id128& medium) const;
  /// Reads and checks a whole medium and its parts. Errors: as open_medium; chunk_damaged with the first bad chunk's
  /// number; cancelled.
  [[nodiscard]] Result<> verify(const Id128& medium, const Progress& progress = {}) const;
  /// Errors: unknown_medium, not_permitted, io.
  [[nodiscard]] Result<> remove(const Id128& medium) const;

 private:
  Vault(std::filesystem::path directory, std::shared_ptr<const Kek> kek, Random& random)
      : directory_(std::move(directory)), kek_(std::move(kek)), random_(&random) {}
  [[nodiscard]] std::filesystem::path path_of(const Id128& medium) const;

  std::filesystem::path directory_;
  std::shared_ptr<const Kek> kek_;
  Random* random_;
};

}  // namespace usher::media
