#include "client/play/player_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/no_broken_pipe.h"
#include "base/os_error.h"

namespace usher::client {
namespace {

constexpr int kTick = 50;  // milliseconds between checks of `stop`

struct Pipe {
  Descriptor read;
  Descriptor write;
};
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("player: pipe");
  // Above the three standard descriptors, so that dup2 below never copies a descriptor onto itself.
  Pipe pipe{Descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3)), Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3))};
  ::close(ends[0]);
  ::close(ends[1]);
  if (pipe.read.get() < 0 || pipe.write.get() < 0) return fail_errno("player: pipe");
  return pipe;
}

struct Child {
  std::vector<char*> arguments;  // ends with a null
  int input;
  int output;  // for stdout and stderr
  int failed;  // receives errno if exec fails; closed by exec
  pid_t parent;
};

/// Runs after fork: calls only functions that are safe there.
[[noreturn]] void run_child(const Child& child) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child.parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) ::signal(signal, SIG_DFL);
  if (::dup2(child.input, 0) >= 0 && ::dup2(child.output, 1) >= 0 && ::dup2(child.output, 2) >= 0) {
    ::execvp(child.arguments[0], child.arguments.data());
  }
  const int error = errno;
  static_cast<void>(!::write(child.failed, &error, sizeof error));
  ::_exit(127);
}

class ProcessPlayer final : public Player {
 public:
  ProcessPlayer(PlayerKind kind, pid_t pid, Descriptor input, Descriptor output)
      : kind_(kind), pid_(pid), input_(std::move(input)), output_(std::move(output)), said_(kind) {}
  ~ProcessPlayer() override {
    if (ended_) return;
    kill();
    reap(0);
  }

  Result<> write(View bytes, const std::atomic<bool>& stop) override { return write_pipe(input_.get(), bytes, stop); }
  void finish() override {
    input_ = Descriptor();
    finished_ = true;
  }

  bool poll(int milliseconds) override;
  [[nodiscard]] Result<> verdict() const override;
  [[nodiscard]] std::optional<double> clock() const override { return said_.clock(); }
  bool pause(bool paused) override {
    // If usher only stopped feeding the player, it would play on from its own queue for minutes.
    if (!ended_) ::kill(-pid_, paused ? SIGSTOP : SIGCONT);
    return true;
  }
  void kill() override {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    killed_ = true;
  }

 private:
  bool reap(int options) {
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(pid_, &status, options);
    } while (got < 0 && errno == EINTR);
    if (got != pid_) return false;
    ended_ = true;
    status_ = status;
    return true;
  }
  bool read_some() {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got > 0) said_.add({buffer.data(), static_cast<std::size_t>(got)});
    if (got == 0) output_ = Descriptor();
    return got > 0;
  }

  PlayerKind kind_;
  pid_t pid_;
  Descriptor input_;
  Descriptor output_;
  PlayerOutput said_;
  bool ended_ = false;
  bool killed_ = false;
  std::atomic<bool> finished_{false};
  int status_ = 0;
};

bool ProcessPlayer::poll(int milliseconds) {
  if (ended_) return true;
  pollfd wait{.fd = output_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, milliseconds) > 0) {
    while (read_some()) {}
  }
  if (!reap(WNOHANG)) return false;
  while (output_.get() >= 0 && read_some()) {}
  said_.add("\n");
  return true;
}

Result<> ProcessPlayer::verdict() const {
  if (killed_) return {};
  const auto failed = [this](const std::string& how) {
    const std::string words = said_.said();
    return fail(Fault::player_failed, "player", words.empty() ? how : how + ": " + words);
  };
  if (WIFSIGNALED(status_)) return failed("it was ended by signal " + std::to_string(WTERMSIG(status_)));
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0) {
    return failed("it ended with status " + std::to_string(WEXITSTATUS(status_)));
  }
  // ffplay's exit status is always 0. If it printed messages but played no sound, it has failed.
  if (kind_ == PlayerKind::ffplay && !said_.clock() && !said_.said().empty()) return failed("it played nothing");
  if (!finished_) return failed("it ended before the medium did");
  return {};
}

}  // namespace

Result<> write_pipe(int descriptor, View bytes, const std::atomic<bool>& stop) {
  const NoBrokenPipe no_signal;
  while (!bytes.empty()) {
    if (stop) return fail(Fault::cancelled, "player: write");
    pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&wait, 1, kTick);
    if (ready < 0 && errno != EINTR) return fail_errno("player: poll");
    if (ready <= 0) continue;
    // A pipe that is ready takes a page without blocking, in blocking mode too.
    const ssize_t wrote = ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), 4096));
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote < 0 && errno == EPIPE)
      return fail(Fault::player_failed, "player: input", "it ended before the medium did");
    if (wrote < 0) return fail_errno("player: write");
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<std::unique_ptr<Player>> start_process(const PlayerSpec& spec) {
  USHER_TRY(Pipe input, make_pipe());
  USHER_TRY(Pipe output, make_pipe());
  USHER_TRY(Pipe failed, make_pipe());
  std::vector<std::string> arguments = spec.arguments();
  Child child{.arguments = {},
              .input = input.read.get(),
              .output = output.write.get(),
              .failed = failed.write.get(),
              .parent = ::getpid()};
  for (std::string& argument : arguments) child.arguments.push_back(argument.data());
  child.arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("player: fork");
  if (pid == 0) run_child(child);
  ::setpgid(pid, pid);  // the child calls it too: either may run first
  // Bytes in the pipe count as given, but are not heard for a while. So make the pipe as small as possible: one page.
  // Best effort.
  static_cast<void>(::fcntl(input.write.get(), F_SETPIPE_SZ, 4'096));
  failed.write = Descriptor();
  input.read = Descriptor();
  output.write = Descriptor();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failed.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    ::waitpid(pid, nullptr, 0);
    return fail(Fault::player_missing, "player: exec", spec.command);
  }
  ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
  return std::make_unique<ProcessPlayer>(spec.kind(), pid, std::move(input.write), std::move(output.read));
}

}  // namespace usher::client
