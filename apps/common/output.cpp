#include "common/output.h"

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace usher::app {

void reserve_standard_descriptors() noexcept {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    // open() takes the lowest free number, which is this one. The access mode is the opposite one on purpose: reads
    // from standard input and writes to the others fail.
    static_cast<void>(::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

Result<> finish_output() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int why = errno;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return {};
  std::string about = "standard output";
  // An earlier write has failed, or this flush. Only the flush's reason is known.
  if (!flushed && why != 0) about += ": " + std::generic_category().message(why);
  return fail(Fault::output_failed, "output", std::move(about));
}

std::size_t terminal_columns(int descriptor) noexcept {
  winsize size{};
  const bool known = ::isatty(descriptor) == 1 && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kAnyWidth;
}

}  // namespace usher::app
