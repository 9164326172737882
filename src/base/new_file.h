// base/new_file: a file that comes into being whole or not at all.
//
// It is written under a temporary name in its own directory, and gets its name by rename() once its content is on the
// disk. The name itself is never removed: whatever fails, the old file or the new one is there, and is whole.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"

namespace usher {

/// Whether a file that is there already may give way to a new one.
enum class Replace : std::uint8_t { no, yes };

inline constexpr unsigned kOwnerOnly = 0600;  // the mode of what nobody else is to read

/// A temporary file that is left by a crash is not locked, and remove_leftovers() takes it away. Its name has 27 bytes,
/// so that every name that the file system takes can be given.
class NewFile {
 public:
  /// In the directory that `path` is to be in; mode 0600. Errors: not_found, not_permitted, disk_full, io.
  [[nodiscard]] static Result<NewFile> create(const std::filesystem::path& path);
  /// Under a temporary name of the caller's choice, beside `path`. Errors: as create; already_exists.
  [[nodiscard]] static Result<NewFile> create_as(const std::filesystem::path& path,
                                                 const std::filesystem::path& temporary);
  /// Takes up what keep() left under that name. Errors: not_found, io; not_permitted, somebody else's or another name
  /// of some file; malformed, not a regular file; busy, another process writes it.
  [[nodiscard]] static Result<NewFile> take_up(const std::filesystem::path& path,
                                               const std::filesystem::path& temporary);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();  // removes what was not published

  /// Asks for room early, so that a full disk is told before the work. Errors: disk_full, io.
  [[nodiscard]] Result<> reserve(std::uint64_t size) const;
  /// Errors: disk_full, io.
  [[nodiscard]] Result<> write_at(std::uint64_t offset, View bytes) const;
  /// To disk, under its name, and the directory too. Errors: already_exists; not_permitted, disk_full, io: the old file is
  /// there, or, where the directory alone could not be synced, the new one.
  [[nodiscard]] Result<> publish(Replace replace = Replace::no, unsigned mode = kOwnerOnly);
  /// Leaves the temporary file where it is. It is closed, and no longer locked, when this object goes.
  void keep() noexcept { temporary_.clear(); }

 private:
  NewFile(int descriptor, std::filesystem::path path, std::filesystem::path temporary)
      : descriptor_(descriptor), path_(std::move(path)), temporary_(std::move(temporary)) {}
  int descriptor_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
};

/// Removes a file, to disk. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_file(const std::filesystem::path& path);

/// Removes temporary files of NewFile that no process is writing. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_leftovers(const std::filesystem::path& directory);

}  // namespace usher
