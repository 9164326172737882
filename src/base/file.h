// base/file: small files: read within a bound, written whole or not at all (base/new_file), and locked.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/new_file.h"

namespace usher {

/// All of a file, or of a pipe. Errors: not_found, not_permitted, io; too_long, more than `max` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file, std::size_t max);
/// The same into memory that the caller wipes: no byte goes anywhere else. Returns how many there are.
/// Errors: as read_file; too_long, more than out.size().
[[nodiscard]] Result<std::size_t> read_file_into(const std::filesystem::path& file, MutableView out);

/// A file that is not there yet. `mode`: as chmod's. Errors: already_exists; not_found, the directory; not_permitted,
/// disk_full, io.
[[nodiscard]] Result<> create_file(const std::filesystem::path& file, std::string_view content,
                                   unsigned mode = kOwnerOnly);
/// In place of what is there, if anything is. Errors: as NewFile::publish; the old file is then there, or the new one.
[[nodiscard]] Result<> replace_file(const std::filesystem::path& file, std::string_view content,
                                    unsigned mode = kOwnerOnly);

/// Makes the directory, mode 0700, and those above it as needed. Existing ones are left as they are.
/// Errors: not_permitted, disk_full, io; not_found, something else is in the way.
[[nodiscard]] Result<> make_private_directory(const std::filesystem::path& directory);

/// An exclusive lock on a file, made (mode 0600) if it is not there; gone with this object and with the process.
class FileLock {
 public:
  /// Waits for it. Errors: not_permitted, disk_full, io.
  [[nodiscard]] static Result<FileLock> wait(const std::filesystem::path& file);
  /// Errors: busy, another holds it; as wait.
  [[nodiscard]] static Result<FileLock> try_now(const std::filesystem::path& file);
  /// A file that must be there. Errors: not_found; as try_now.
  [[nodiscard]] static Result<FileLock> try_existing(const std::filesystem::path& file);
  /// The file itself, open for reading and writing.
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace usher
