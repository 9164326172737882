#include "client/files.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/os_error.h"

namespace usher::client {
namespace {

Result<> write_all(int descriptor, std::string_view content, const std::string& name) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(descriptor, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("file: write", name);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fsync(descriptor) != 0) return fail_errno("file: sync", name);
  return {};
}

}  // namespace

Result<> make_private_directory(const std::filesystem::path& folder) {
  std::error_code wrong;
  if (std::filesystem::is_directory(folder, wrong)) return {};
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    USHER_CHECK(make_private_directory(folder.parent_path()));
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("directory", folder.string());
  return {};
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t max) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (in.get() < 0) return fail_errno("file: open", file.string());
  struct stat info{};
  if (::fstat(in.get(), &info) != 0) return fail_errno("file: stat", file.string());
  if (!S_ISREG(info.st_mode)) return fail(Fault::io, "file: not regular", file.string());
  if (static_cast<std::uint64_t>(info.st_size) > max) return fail(Fault::too_long, "file", file.string());
  std::string content(max + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(in.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("file: read", file.string());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max) return fail(Fault::too_long, "file", file.string());
  content.resize(size);
  return content;
}

Result<> replace_file(const std::filesystem::path& file, std::string_view content) {
  const std::string temporary = file.string() + ".new." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  const Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.get() < 0) return fail_errno("file: create", file.string());
  if (auto wrote = write_all(out.get(), content, file.string()); !wrote) {
    ::unlink(temporary.c_str());
    return wrote;
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    const auto error = fail_errno("file: rename", file.string());
    ::unlink(temporary.c_str());
    return error;
  }
  const Descriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) static_cast<void>(::fsync(folder.get()));
  return {};
}

Result<FileLock> FileLock::wait(const std::filesystem::path& file) {
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0) return fail_errno("lock", file.string());
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno("lock", file.string());
  }
  return FileLock(lock.release());
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<int> try_lock(const std::filesystem::path& file, bool create) {
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return lock.release();
}

}  // namespace usher::client
