// client/files: small files that are whole or not there, in directories that nobody else reads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace usher::client {

/// Makes the directory, mode 0700, and those above it as needed. Errors: not_permitted, disk_full, io.
[[nodiscard]] Result<> make_private_directory(const std::filesystem::path& folder);

/// All of a regular file. Errors: not_found, not_permitted, io, too_long.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file, std::size_t max);

/// Mode 0600; under another name first, then renamed and on disk. Errors: not_permitted, disk_full, io.
[[nodiscard]] Result<> replace_file(const std::filesystem::path& file, std::string_view content);

/// An exclusive lock on a file, made if it is not there; gone with this object.
class FileLock {
 public:
  /// Waits for it. Errors: not_permitted, io.
  [[nodiscard]] static Result<FileLock> wait(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// A descriptor of the file, locked, or nothing if another process has the lock or the file is not there.
[[nodiscard]] std::optional<int> try_lock(const std::filesystem::path& file, bool create);

}  // namespace usher::client
