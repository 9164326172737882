#include "base/file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_error.h"

namespace usher {
namespace {

namespace fs = std::filesystem;

/// A pipe without a writer counts as empty: opening it does not block the program.
Result<Descriptor> open_for_reading(const fs::path& file) {
  Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in.is_open()) return fail_errno("file: open", file.string());
  const int flags = ::fcntl(in.get(), F_GETFL);
  if (flags < 0 || ::fcntl(in.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) return fail_errno("file", file.string());
  return in;
}

/// Reads up to out.size() bytes; fewer only at the end of the file. Returns the number of bytes read.
Result<std::size_t> read_up_to(int descriptor, MutableView out, const fs::path& file) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(descriptor, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("file: read", file.string());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

Result<> write_new(const fs::path& file, std::string_view content, unsigned mode, Replace replace) {
  USHER_TRY(NewFile out, NewFile::create(file));
  USHER_CHECK(out.write_at(0, view_of(content)));
  return out.publish(replace, mode);
}

Result<Descriptor> open_lock(const fs::path& file, int more) {
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | more, kOwnerOnly));
  if (!lock.is_open()) return fail_errno("lock", file.string());
  struct stat info{};
  if (::fstat(lock.get(), &info) != 0) return fail_errno("lock", file.string());
  if (!S_ISREG(info.st_mode)) return fail(Fault::not_permitted, "lock", file.string() + " is not a regular file");
  return lock;
}

Result<> lock_now(int descriptor, const fs::path& file) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) return fail(Fault::busy, "lock", file.string());
  return fail_errno("lock", file.string());
}

}  // namespace

Result<std::string> read_file(const fs::path& file, std::size_t max) {
  constexpr std::size_t kStep = 64 << 10;  // bytes; fits a small file, and memory grows with the file, not with `max`
  USHER_TRY(const Descriptor in, open_for_reading(file));
  std::string content;
  for (;;) {
    const std::size_t before = content.size();
    const std::size_t step = std::min(kStep, max + 1 - before);
    content.resize(before + step);
    auto* const bytes = reinterpret_cast<std::uint8_t*>(content.data());  // NOLINT(*-reinterpret-cast): characters
    USHER_TRY(const std::size_t got, read_up_to(in.get(), MutableView(bytes + before, step), file));
    content.resize(before + got);
    if (content.size() > max) return fail(Fault::too_long, "file", file.string());
    if (got < step) return content;
  }
}

Result<std::size_t> read_file_into(const fs::path& file, MutableView out) {
  USHER_TRY(const Descriptor in, open_for_reading(file));
  USHER_TRY(const std::size_t size, read_up_to(in.get(), out, file));
  std::uint8_t more = 0;
  USHER_TRY(const std::size_t left, read_up_to(in.get(), MutableView(&more, 1), file));
  if (left != 0) return fail(Fault::too_long, "file", file.string());
  return size;
}

Result<> create_file(const fs::path& file, std::string_view content, unsigned mode) {
  return write_new(file, content, mode, Replace::no);
}

Result<> replace_file(const fs::path& file, std::string_view content, unsigned mode) {
  return write_new(file, content, mode, Replace::yes);
}

Result<> make_private_directory(const fs::path& directory) {
  std::error_code ignored;
  if (directory.empty() || fs::is_directory(directory, ignored)) return {};
  if (directory.has_parent_path() && directory.parent_path() != directory) {
    USHER_CHECK(make_private_directory(directory.parent_path()));
  }
  if (::mkdir(directory.c_str(), 0700) == 0 || fs::is_directory(directory, ignored)) return {};
  return fail_errno("directory", directory.string());
}

Result<FileLock> FileLock::wait(const fs::path& file) {
  USHER_TRY(Descriptor lock, open_lock(file, O_CREAT));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno("lock", file.string());
  }
  return FileLock(std::move(lock));
}

Result<FileLock> FileLock::try_now(const fs::path& file) {
  USHER_TRY(Descriptor lock, open_lock(file, O_CREAT));
  USHER_CHECK(lock_now(lock.get(), file));
  return FileLock(std::move(lock));
}

Result<FileLock> FileLock::try_existing(const fs::path& file) {
  USHER_TRY(Descriptor lock, open_lock(file, 0));
  USHER_CHECK(lock_now(lock.get(), file));
  return FileLock(std::move(lock));
}

}  // namespace usher
