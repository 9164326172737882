#include "base/os_error.h"

#include <cerrno>

namespace usher {

Fault fault_of_errno(int number) noexcept {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Fault::disk_full;
    case ENOENT:
    case ENOTDIR:
      return Fault::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Fault::not_permitted;
    case EEXIST:
      return Fault::already_exists;
    case EBUSY:
    case ETXTBSY:
      return Fault::busy;
    default:
      return Fault::io;
  }
}

std::unexpected<Error> fail_errno(std::string_view where, std::string about) {
  const int number = errno;
  return fail(fault_of_errno(number), where, std::move(about));
}

}  // namespace usher
