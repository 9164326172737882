// base/os_error: what the operating system's error numbers mean to usher.
#pragma once

#include "base/result.h"

namespace usher {

/// disk_full (ENOSPC, EDQUOT, EFBIG), not_found, not_permitted, already_exists, busy, too_few_descriptors (EMFILE,
/// ENFILE); io for all others.
[[nodiscard]] Fault fault_of_errno(int number) noexcept;

/// `return fail_errno("vault: rename", path);` with the errno of the call that just failed. Of io
/// `about` names the system's message too.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view where, std::string about = {});

}  // namespace usher
