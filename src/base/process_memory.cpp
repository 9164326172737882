#include "base/process_memory.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/os_error.h"

namespace usher {

Result<> forbid_core_files() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail_errno("process memory: core files");
  return {};
}

Result<> make_memory_private() {
  USHER_CHECK(forbid_core_files());
#ifndef __SANITIZE_ADDRESS__
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("process memory: debuggers");
#endif
  return {};
}

}  // namespace usher
