// server/files/file_shares: maps the names that the file stream serves to files and media.
// Spec: filestream.md §3.2, §3.3.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/descriptor.h"
#include "media/vault.h"
#include "server/files/file_patterns.h"

namespace usher::server {

/// A directory, or media of the vault, that the operator shares under one name.
struct FileShare {
  std::string name;                   // first component of the names in it, if there are several shares
  std::filesystem::path directory{};  // empty: media
  std::vector<std::pair<std::string, Id128>> media{};  // §5.2
  std::vector<FileRule> rules{};                       // empty: every verified client
};

/// The attributes by which a changed file is detected (§4.1).
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;        // bytes
  std::int64_t modified_ns = 0;  // since 1970
  std::int64_t changed_ns = 0;
  auto operator<=>(const FileState&) const = default;
};
/// Errors: io; malformed (not a regular file).
[[nodiscard]] Result<FileState> state_of(int descriptor);

/// A file or a medium, open for reading. Immutable, shared.
struct OpenedFile {
  Descriptor file{};                                    // set for a file
  FileState state{};                                    // the file's, at opening
  std::shared_ptr<const media::MediumReader> medium{};  // set for a medium of the vault
  [[nodiscard]] std::uint64_t size() const noexcept { return medium ? medium->manifest().size : state.size; }
};
using OpenedFilePtr = std::shared_ptr<const OpenedFile>;

/// Immutable; used from many threads at once. A reload makes a new object.
class FileShares {
 public:
  /// Errors: bad_config (an invalid or duplicate name; a share without exactly one of directory and media).
  [[nodiscard]] static Result<> check(const std::vector<FileShare>& shares);
  /// Opens the directories and checks that the media exist. `vault` is borrowed; nullptr: media are not checked and not
  /// served. Errors: as check; not_found, not_permitted, unknown_medium, …
  [[nodiscard]] static Result<std::shared_ptr<const FileShares>> open(std::vector<FileShare> shares,
                                                                      const media::Vault* vault);

  [[nodiscard]] static std::shared_ptr<const FileShares> none() {
    return std::shared_ptr<FileShares>(new FileShares());
  }

  /// Opens the file or medium `name` if `client` may read it. Unknown and forbidden names take the same steps (§4.2).
  /// Errors, for the log: not_found; not_permitted; malformed (not a regular file); io.
  [[nodiscard]] Result<OpenedFilePtr> open_file(std::string_view name, const pki::Certificate& client) const;

  [[nodiscard]] bool has_media() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return shares_.size(); }

 private:
  friend class FileListing;
  struct Share {
    FileShare what;
    Descriptor directory;
  };
  FileShares() = default;
  [[nodiscard]] static bool may_see(const Share& share, const pki::Certificate& client, std::string_view inner);
  /// The share that contains the name, or nullptr; and the rest of the name.
  [[nodiscard]] std::pair<const Share*, std::string_view> find(std::string_view name) const;
  [[nodiscard]] Result<OpenedFilePtr> look_up(const Share& share, std::string_view inner) const;

  std::vector<Share> shares_;
  const media::Vault* vault_ = nullptr;
};

}  // namespace usher::server
