// media/vault: the operator's media at rest: a directory, one file a medium.  Spec: sealed.md §6.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "media/release.h"

namespace usher::media {

/// Makes a vault key and writes it to `file`, sealed for somebody. Errors: already_exists, disk_full, io; the wrapper's.
[[nodiscard]] Result<> create_vault_key(const std::filesystem::path& file, const Wrapper& sealed_for, Random& random);
/// Errors: not_found, bad_passphrase, no_key_fits, header_damaged, wrong_object, …
[[nodiscard]] Result<crypto::Secret> open_vault_key(const std::filesystem::path& file, const Unwrapper& key);
/// Whether a passphrase opens it, or else a private key. Errors: not_found, malformed, …
[[nodiscard]] Result<bool> vault_key_wants_passphrase(const std::filesystem::path& file);
/// Seals the same key for somebody else: into a new file, which is read back with `next` before it takes the old one's
/// place. Errors: those of `current`, `sealed_for`, `next` and the file; already_exists, an attempt that was cut left <file>.new.
[[nodiscard]] Result<> reseal_vault_key(const std::filesystem::path& file, const Unwrapper& current,
                                        const Wrapper& sealed_for, const Unwrapper& next, Random& random);

struct Chunk {
  crypto::Secret plaintext;
  Proof proof;
};

/// A medium opened for reading: header, manifest and tree have been checked against each other. Thread-safe.
/// Stays readable when the medium is removed. Memory: up to 4 MiB for the tree.
class Medium {
 public:
  virtual ~Medium() = default;
  [[nodiscard]] virtual const Manifest& manifest() const noexcept = 0;
  [[nodiscard]] virtual const SignedManifest& signed_manifest() const noexcept = 0;
  /// Errors, with the chunk's number: unknown_chunk, chunk_damaged, truncated, io.
  [[nodiscard]] virtual Result<Chunk> read_chunk(std::uint64_t index) const = 0;
  /// The plaintext of manifest().parts[index], which is what was signed. Errors: not_found, there is no such part;
  /// chunk_damaged, truncated, io; release_mismatch.
  [[nodiscard]] virtual Result<crypto::Secret> read_part(std::size_t index) const = 0;
};

/// Thread-safe; several processes may use one directory.
class Vault {
 public:
  /// Makes the directory (mode 0700) if it is not there, and removes what interrupted imports left.
  /// `random` is borrowed. Errors: not_permitted, disk_full, io; bad_key, a vault key of another size.
  [[nodiscard]] static Result<Vault> open(std::filesystem::path directory, crypto::Secret vault_key, Random& random);

  /// Whether a manifest's origin is to be trusted: the caller's, who knows certificates (verify() included).
  using CheckOrigin = std::function<Result<>(const SignedManifest&)>;

  /// Takes a release in by rewrapping: every chunk is opened and checked against the manifest's root, the body is
  /// copied as it is, the header is made anew. Whole or not at all. Memory: a few chunks.
  /// Errors: the release's, check_origin's, already_exists, release_mismatch, cancelled, disk_full, io.
  [[nodiscard]] Result<SignedManifest> import(const SourcePtr& release, const Unwrapper& key,
                                              const CheckOrigin& check_origin, const Progress& progress = {}) const;

  /// In the order of their ids. Errors: io, not_permitted.
  [[nodiscard]] Result<std::vector<Id128>> list() const;
  /// Errors: unknown_medium; what is wrong with its file, as SealedObject::open and release_mismatch.
  [[nodiscard]] Result<std::shared_ptr<const Medium>> open_medium(const Id128& medium) const;
  /// Without opening the media. Errors: as open_medium.
  [[nodiscard]] Result<SignedManifest> manifest(const Id128& medium) const;
  /// Whether its file is there and may be read: nothing of it is opened. Errors: unknown_medium, not_permitted, io.
  [[nodiscard]] Result<> check_readable(const Id128& medium) const;
  /// Reads all of a medium and its parts. Errors: as open_medium; chunk_damaged with the first bad chunk's number; cancelled.
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
