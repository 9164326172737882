// base/os_error: maps the operating system's error numbers to faults.
#pragma once

#include "base/result.h"

namespace usher {

/// disk_full (ENOSPC, EDQUOT, EFBIG), not_found, not_permitted, already_exists, busy, too_few_descriptors (EMFILE,
/// ENFILE); io for all others.
[[nodiscard]] Fault fault_of_errno(int number) noexcept;

/// `return fail_errno("vault: rename", path);` with the errno of the call that just failed. For io,
/// `about` also holds the system's message.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view where, std::string about = {});

}  // namespace usher
