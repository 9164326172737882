#include "base/new_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/encoding.h"
#include "base/os_error.h"

namespace usher {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".usher-new-";

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

Result<Descriptor> open_directory(const fs::path& directory) {
  Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return fail_errno("new file: directory", directory.string());
  return opened;
}

Result<> sync_directory(const Descriptor& directory, const fs::path& path) {
  // EINVAL: this file system does not sync directories.
  if (::fsync(directory.get()) == 0 || errno == EINVAL) return {};
  return fail_errno("new file: directory", path.string());
}

/// Whether the locked file still has a name: remove_leftovers() may have removed it between open and lock.
bool is_named(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// Gives the file its name. Replaces an existing file only if `replace` is yes. On false, errno holds the reason.
bool name_it(const fs::path& temporary, const fs::path& path, Replace replace) {
  if (replace == Replace::yes) return ::rename(temporary.c_str(), path.c_str()) == 0;
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system (or a kernel) without RENAME_NOREPLACE.
  if (::link(temporary.c_str(), path.c_str()) != 0) return false;
  ::unlink(temporary.c_str());
  return true;
}

/// A device, a pipe or a socket is never replaced by a file.
Result<> check_replaceable(const fs::path& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode) || S_ISLNK(found.st_mode)) return {};
  return fail(Fault::already_exists, "new file: publish", path.string() + ", which is no regular file",
              "Name a file that may be replaced.");
}

}  // namespace

Result<NewFile> NewFile::create(const fs::path& path) {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    std::array<std::uint8_t, 8> name{};
    if (::getrandom(name.data(), name.size(), 0) != static_cast<ssize_t>(name.size())) continue;
    const fs::path temporary = directory_of(path) / (std::string(kPrefix) + to_hex(name));
    auto file = create_as(path, temporary);
    if (file || (file.error().fault != Fault::already_exists && file.error().fault != Fault::busy)) return file;
  }
  return fail(Fault::busy, "new file", path.string());
}

Result<NewFile> NewFile::create_as(const fs::path& path, const fs::path& temporary) {
  const int descriptor = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return fail_errno("new file", (errno == EEXIST ? temporary : path).string());
  NewFile file(descriptor, path, temporary);
  // The lock marks a file that is being written. It ends with the process, even if the process crashes.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_named(descriptor)) return file;
  return fail(Fault::busy, "new file", path.string());
}

Result<NewFile> NewFile::take_up(const fs::path& path, const fs::path& temporary) {
  const int descriptor = ::open(temporary.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return fail_errno("new file: take up", temporary.string());
  NewFile file(descriptor, path, temporary);
  const auto refused = [&](Fault fault) {
    file.keep();  // otherwise the destructor would remove a file that is not ours
    return fail(fault, "new file: take up", temporary.string());
  };
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return refused(Fault::malformed);
  if (status.st_uid != ::geteuid() || status.st_nlink != 1) return refused(Fault::not_permitted);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 || !is_named(descriptor)) return refused(Fault::busy);
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<> NewFile::reserve(std::uint64_t size) const {
  if (size == 0) return {};
  int failed = 0;
  do {
    failed = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)) == 0 ? 0 : errno;
  } while (failed == EINTR);
  // A file system without fallocate reports a full disk later, at a write.
  if (failed == 0 || failed == EOPNOTSUPP || failed == ENOSYS) return {};
  return fail(fault_of_errno(failed), "new file: reserve", path_.string());
}

Result<> NewFile::write_at(std::uint64_t offset, View bytes) const {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("new file: write", path_.string());
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

Result<> NewFile::publish(Replace replace, unsigned mode) {
  if (replace == Replace::yes) USHER_CHECK(check_replaceable(path_));
  // Opened before the file gets its name: if the directory cannot be opened, we fail before anything has changed.
  USHER_TRY(const Descriptor directory, open_directory(directory_of(path_)));
  if (::fchmod(descriptor_, static_cast<mode_t>(mode)) != 0) return fail_errno("new file: mode", path_.string());
  if (::fsync(descriptor_) != 0) return fail_errno("new file: sync", path_.string());
  if (!name_it(temporary_, path_, replace)) return fail_errno("new file: publish", path_.string());
  temporary_.clear();
  return sync_directory(directory, path_);
}

Result<> remove_file(const fs::path& path) {
  USHER_TRY(const Descriptor directory, open_directory(directory_of(path)));
  if (::unlink(path.c_str()) != 0) return fail_errno("file: remove", path.string());
  return sync_directory(directory, path);
}

Result<> remove_leftovers(const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    if (!path.filename().string().starts_with(kPrefix)) continue;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;  // already removed, or not ours
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    ::close(descriptor);
  }
  if (error) return fail(fault_of_errno(error.value()), "new file: leftovers", directory.string());
  return {};
}

}  // namespace usher
