// client/no_broken_pipe: writing to pipes and sockets whose other end may be gone.
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>

namespace usher::client {

/// No SIGPIPE in this thread while it lives; one that came meanwhile is taken away.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~NoBrokenPipe() {
    const timespec now{};
    if (!was_pending_) {
      while (::sigtimedwait(&set_, nullptr, &now) < 0 && errno == EINTR) {}
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace usher::client
