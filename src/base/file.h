// base/file: small files: bounded reads, atomic writes (base/new_file), and locks.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/new_file.h"

namespace usher {

/// Reads a whole file, or a pipe to its end.
/// Errors: not_found, not_permitted, not_a_file, io; too_long, more than `max` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file, std::size_t max);
/// The same into memory that the caller wipes. Copies no byte to any other place. Returns the number of bytes.
/// Errors: as read_file; too_long, more than out.size().
[[nodiscard]] Result<std::size_t> read_file_into(const std::filesystem::path& file, MutableView out);

/// Creates a file that does not exist yet. `mode`: as for chmod. Errors: already_exists; not_found, the directory;
/// not_permitted, disk_full, io.
[[nodiscard]] Result<> create_file(const std::filesystem::path& file, std::string_view content,
                                   unsigned mode = kOwnerOnly);
/// Creates a file or replaces an existing one. Errors: as NewFile::publish; then the old file is there, or the new one.
[[nodiscard]] Result<> replace_file(const std::filesystem::path& file, std::string_view content,
                                    unsigned mode = kOwnerOnly);

/// Makes the directory, mode 0700, and its missing parents. Does not change existing directories.
/// Errors: not_permitted, disk_full, io; already_exists, a file of that name.
[[nodiscard]] Result<> make_private_directory(const std::filesystem::path& directory);

/// An exclusive lock on a file. Makes the file (mode 0600) if it does not exist. The lock ends with this object and
/// with the process.
class FileLock {
 public:
  /// Waits until the lock is free. Errors: not_permitted, disk_full, io.
  [[nodiscard]] static Result<FileLock> wait(const std::filesystem::path& file);
  /// Does not wait. Errors: busy, the lock is held elsewhere; as wait.
  [[nodiscard]] static Result<FileLock> try_now(const std::filesystem::path& file);
  /// As try_now, but does not make the file. Errors: not_found; as try_now.
  [[nodiscard]] static Result<FileLock> try_existing(const std::filesystem::path& file);
  /// The file itself, open for reading and writing.
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace usher
