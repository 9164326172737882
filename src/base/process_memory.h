// base/process_memory: keeps a process's secrets out of core files and away from other processes.
#pragma once

#include "base/result.h"

namespace usher {

/// No core file will hold this process's memory. Errors: those of fail_errno.
[[nodiscard]] Result<> forbid_core_files();

/// The same; and debuggers and other processes of the same user cannot read the memory. From then on /proc/self belongs
/// to root, so that a process of another user cannot open /dev/fd/<number>. In a build with AddressSanitizer, whose
/// check at the end traces the process, only core files are forbidden. Errors: as above.
[[nodiscard]] Result<> make_memory_private();

}  // namespace usher
