#include "common/terminal_input.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/os_error.h"

namespace usher::app {

bool in_foreground(int terminal) noexcept { return ::tcgetpgrp(terminal) == ::getpgrp(); }

bool wait_for_input(int terminal, const Stopped& stopped) {
  constexpr int kInterval = 100;  // ms
  while (!stopped()) {
    pollfd one{.fd = terminal, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&one, 1, kInterval);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;  // an error: the read reports it
  }
  return false;
}

Result<std::string> ask_terminal(std::string_view question, const Stopped& stopped) {
  constexpr std::size_t kMaxLine = 64;
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.is_open()) return fail(Fault::bad_usage, "terminal", "there is no terminal to ask on");
  if (::write(terminal.get(), question.data(), question.size()) < 0) return fail_errno("terminal", "the terminal");
  if (!wait_for_input(terminal.get(), stopped)) return fail(Fault::cancelled, "terminal");
  std::string line(kMaxLine, '\0');
  const ssize_t got = ::read(terminal.get(), line.data(), line.size());
  if (got < 0) return fail_errno("terminal", "the terminal");
  if (got == 0) return fail(Fault::cancelled, "terminal");
  line.resize(static_cast<std::size_t>(got));
  // The rest of a longer line must not go to the shell, which would run it.
  if (!line.ends_with('\n')) ::tcflush(terminal.get(), TCIFLUSH);
  line.resize(std::min(line.find('\n'), line.size()));
  return line;
}

}  // namespace usher::app
