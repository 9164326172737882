#include "usherd/home/disk.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/descriptor.h"
#include "base/os_error.h"

namespace usher::usherd {
namespace {

constexpr off_t kRoom = 1 << 20;  // bytes

/// For file systems without O_TMPFILE files, or without fallocate.
Result<> check_free(const std::filesystem::path& directory) {
  struct statvfs info{};
  if (::statvfs(directory.c_str(), &info) != 0) return fail_errno("disk", directory.string());
  if (info.f_bavail * info.f_frsize >= static_cast<fsblkcnt_t>(kRoom)) return {};
  return fail(Fault::disk_full, "disk", directory.string());
}

bool is_unsupported(int error) { return error == EOPNOTSUPP || error == EISDIR || error == ENOSYS; }

}  // namespace

Result<> check_room(const std::filesystem::path& directory) {
  const Descriptor nameless(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!nameless.is_open()) {
    return is_unsupported(errno) ? check_free(directory) : Result<>(fail_errno("disk", directory.string()));
  }
  if (::fallocate(nameless.get(), 0, 0, kRoom) == 0) return {};
  return is_unsupported(errno) ? check_free(directory) : Result<>(fail_errno("disk", directory.string()));
}

}  // namespace usher::usherd
