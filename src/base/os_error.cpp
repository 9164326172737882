#include "base/os_error.h"

#include <cerrno>
#include <system_error>

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
    case EISDIR:
      return Fault::not_a_file;
    case EACCES:
    case EPERM:
    case EROFS:
      return Fault::not_permitted;
    case EEXIST:
      return Fault::already_exists;
    case EBUSY:
    case ETXTBSY:
      return Fault::busy;
    case EMFILE:
    case ENFILE:
      return Fault::too_few_descriptors;
    default:
      return Fault::io;
  }
}

std::unexpected<Error> fail_errno(std::string_view where, std::string about) {
  const int number = errno;
  const Fault fault = fault_of_errno(number);
  if (fault != Fault::io) return fail(fault, where, std::move(about));
  // io stands for many causes, so the error also carries the system's own message.
  const std::string cause = std::generic_category().message(number);
  about = about.empty() ? cause : about + " (" + cause + ")";
  return fail(fault, where, std::move(about), number == EIO ? "Check the disk and its cables, and try again." : "");
}

}  // namespace usher
