#include "process.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/os_error.h"
#include "progress.h"

namespace usher::press {
namespace {

constexpr std::size_t kMaxErrors = 4096;  // bytes of stderr that are kept
constexpr int kAbove = 64;                // descriptors are moved to this or above, so that dup2 never overwrites one
constexpr int kTick = 200;                // milliseconds between checks for Ctrl-C

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("process: pipe");
  Pipe pipe{.read = Descriptor(ends[0]), .write = Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, kAbove))};
  ::close(ends[1]);
  if (pipe.write.get() < 0) return fail_errno("process: pipe");
  return pipe;
}

struct Child {
  std::vector<char*> arguments;  // ends with a null pointer
  std::vector<Descriptor> files;
  Descriptor nothing;
  Pipe output;
  Pipe errors;
  Pipe failed;  // carries errno if exec fails; closed by a successful exec
};

/// Runs in the child after fork: calls only functions that are safe there.
[[noreturn]] void become(const Child& child, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
  bool ready = ::dup2(child.nothing.get(), 0) >= 0 && ::dup2(child.output.write.get(), 1) >= 0 &&
               ::dup2(child.errors.write.get(), 2) >= 0;
  int number = 3;
  for (const Descriptor& file : child.files) ready = ready && ::dup2(file.get(), number++) >= 0;
  if (ready) ::execvp(child.arguments[0], child.arguments.data());
  const int error = errno;
  static_cast<void>(!::write(child.failed.write.get(), &error, sizeof error));
  ::_exit(127);
}

Result<Child> prepare(std::vector<std::string>& words, const std::vector<int>& files) {
  Child child;
  for (std::string& word : words) child.arguments.push_back(word.data());
  child.arguments.push_back(nullptr);
  for (const int file : files) {
    child.files.emplace_back(::fcntl(file, F_DUPFD_CLOEXEC, kAbove));
    if (child.files.back().get() < 0) return fail_errno("process: file");
  }
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  child.nothing = Descriptor(::fcntl(nothing.get(), F_DUPFD_CLOEXEC, kAbove));
  if (child.nothing.get() < 0) return fail_errno("process: input");
  USHER_TRY(child.output, make_pipe());
  USHER_TRY(child.errors, make_pipe());
  USHER_TRY(child.failed, make_pipe());
  return child;
}

/// A running child. The destructor kills it if it was not waited for.
class Running {
 public:
  explicit Running(pid_t pid) : pid_(pid) {}
  ~Running() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

/// Gives the available bytes to `take`; closes the pipe at end of file.
template <class Take>
Result<> drain(Descriptor& pipe, Take take) {
  std::array<std::uint8_t, 64 << 10> buffer{};
  const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
  if (got < 0 && errno != EINTR) return fail_errno("process: read");
  if (got > 0) return take(View(buffer).first(static_cast<std::size_t>(got)));
  if (got == 0) pipe = Descriptor();
  return {};
}

Result<> read_all(Child& child, const Output& output, std::string& errors) {
  const auto keep = [&errors](View bytes) -> Result<> {
    errors.append(text_of(bytes.first(std::min(bytes.size(), kMaxErrors - std::min(kMaxErrors, errors.size())))));
    return {};
  };
  const auto give = [&output](View bytes) -> Result<> { return output ? output(bytes) : Result<>(); };
  while (child.output.read.is_open() || child.errors.read.is_open()) {
    if (was_interrupted()) return fail(Fault::cancelled, "process");
    // A closed pipe has descriptor -1, which poll ignores.
    std::array<pollfd, 2> waits{pollfd{.fd = child.output.read.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = child.errors.read.get(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waits.data(), waits.size(), kTick);
    if (ready < 0 && errno != EINTR) return fail_errno("process: poll");
    if (ready <= 0) continue;
    if (waits[0].revents != 0) USHER_CHECK(drain(child.output.read, give));
    if (waits[1].revents != 0) USHER_CHECK(drain(child.errors.read, keep));
  }
  return {};
}

}  // namespace

Result<Ended> run(const Command& command, const Output& output) {
  std::vector<std::string> words = command.arguments;
  words.insert(words.begin(), command.program);
  USHER_TRY(Child child, prepare(words, command.files));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("process: fork");
  if (pid == 0) become(child, parent);
  Running running(pid);
  for (Pipe* pipe : {&child.output, &child.errors, &child.failed}) pipe->write = Descriptor();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(child.failed.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != 0) return fail(Fault::ffmpeg_missing, "process: exec", command.program);
  Ended ended;
  USHER_CHECK(read_all(child, output, ended.errors));
  ended.status = running.wait();
  // The child receives Ctrl-C too, and may end before this process checks for it.
  if (was_interrupted()) return fail(Fault::cancelled, "process");
  return ended;
}

}  // namespace usher::press
