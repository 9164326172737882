// base/new_file: creates or replaces a file atomically.
//
// The file is written under a temporary name in the target's directory. Once its content is on the disk, rename() gives
// it its name. An existing file is never removed first: after any failure the old or the new file is there, complete.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"

namespace usher {

/// Whether a new file may replace an existing one.
enum class Replace : std::uint8_t { no, yes };

inline constexpr unsigned kOwnerOnly = 0600;  // mode of a file that only its owner may read

/// The temporary file is locked. After a crash it is not, and remove_leftovers() removes it. Its name has 27 bytes, for
/// every `path`, so that `path` may have the longest name that the file system allows.
class NewFile {
 public:
  /// Creates the temporary file in the directory of `path`, mode 0600. Errors: not_found, not_permitted, disk_full, io.
  [[nodiscard]] static Result<NewFile> create(const std::filesystem::path& path);
  /// The caller chooses the temporary name, in the directory of `path`. Errors: as create; already_exists.
  [[nodiscard]] static Result<NewFile> create_as(const std::filesystem::path& path,
                                                 const std::filesystem::path& temporary);
  /// Reopens the temporary file that keep() left. Errors: not_found, io; not_permitted, another user owns it, or it has
  /// several hard links; malformed, not a regular file; busy, another process writes it.
  [[nodiscard]] static Result<NewFile> take_up(const std::filesystem::path& path,
                                               const std::filesystem::path& temporary);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();  // removes the temporary file unless it was published or kept

  /// Reserves disk space early, so that a full disk is reported before the work. `size`: bytes. Errors: disk_full, io.
  [[nodiscard]] Result<> reserve(std::uint64_t size) const;
  /// Errors: disk_full, io.
  [[nodiscard]] Result<> write_at(std::uint64_t offset, View bytes) const;
  /// Syncs the file, gives it its name and syncs the directory. Errors: already_exists; not_permitted, disk_full, io:
  /// the old file is there; or the new one, if only the sync of the directory failed.
  [[nodiscard]] Result<> publish(Replace replace = Replace::no, unsigned mode = kOwnerOnly);
  /// Leaves the temporary file where it is. The destructor of this object closes and unlocks it.
  void keep() noexcept { temporary_.clear(); }

 private:
  NewFile(int descriptor, std::filesystem::path path, std::filesystem::path temporary)
      : descriptor_(descriptor), path_(std::move(path)), temporary_(std::move(temporary)) {}
  int descriptor_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
};

/// Removes a file, and syncs the directory. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_file(const std::filesystem::path& path);

/// Removes temporary files of NewFile that no process is writing. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_leftovers(const std::filesystem::path& directory);

}  // namespace usher
