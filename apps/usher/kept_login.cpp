#include "kept_login.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/os_error.h"
#include "card/token_key.h"
#include "client/terminal/terminal.h"
#include "common/output.h"
#include "console.h"
#include "crypto/digest.h"
#include "json.h"
#include "login/login_agent.h"
#include "wire/codec.h"

namespace usher::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kNameSize = 8;      // bytes of the digest in a socket's name
constexpr std::size_t kMaxPem = 1 << 20;  // bytes of a file with certificates or a key

Result<fs::path> login_folder(const Options& options) {
  USHER_TRY(const fs::path data, data_folder(options));
  return data / "login";
}

/// The descriptors inherited from the parent process. An agent does not keep them open.
std::vector<int> inherited_descriptors() {
  std::vector<int> all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
    const std::string name = entry.path().filename();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    all.push_back(number);
  }
  std::erase_if(all, [](int one) { return one <= STDERR_FILENO || ::fcntl(one, F_GETFD) < 0; });
  return all;
}

/// Detaches from the terminal and from the parent process.
Result<> go_to_background(const std::vector<int>& inherited) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing.is_open() || ::setsid() < 0 || ::chdir("/") != 0) return fail_errno("login agent: background");
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(nothing.get(), standard) < 0) return fail_errno("login agent: background");
  }
  for (const int one : inherited) ::close(one);
  return {};
}

void print_login(const Context& context, const client::PersonInfo& who, Time not_after) {
  const std::string text =
      context.options.json
          ? login_json(who, not_after)
          : fmt::format("Logged in to {} as {} until {}. `usher logout` ends it.", printable(who.server),
                        printable(who.name.empty() ? who.pseudonym.substr(0, 16) : who.name),
                        client::time_text(static_cast<std::uint64_t>(unix_seconds(not_after))));
  if (!context.options.quiet || context.options.json) std::fwrite((text + "\n").data(), 1, text.size() + 1, stdout);
}

/// Runs in the child. `ready`: one byte reports to the parent that the login is kept.
Result<> keep_login(Context& context, const std::vector<int>& inherited, Descriptor ready) {
  USHER_CHECK(login::lock_memory());
  USHER_TRY(const Config config, load_config(context.options, context.environment));
  USHER_CHECK(check_set_up(config));
  USHER_TRY(const fs::path socket, login_socket(context.options, config));
  USHER_TRY(login::LoginAgent agent, login::LoginAgent::create(socket));
  login::KeptLogin login;
  std::unique_ptr<PersonConnection> session;
  USHER_TRY(session,
            PersonConnection::open(context.options, config, Interrupts::interrupted(), context.clock, context.random,
                                   Kept::pass_over, [&agent](const Error& why) { agent.end(why); }));
  login = session->login();
  USHER_CHECK(login::lock_memory());  // more memory is in use now
  const client::PersonInfo who = session->listener().who();
  session->leave();
  // Prints before the previous kept login ends: if the output fails, nothing changes.
  print_login(context, who, login.person->not_after());
  USHER_CHECK(app::finish_output());
  USHER_CHECK(agent.publish());
  USHER_CHECK(go_to_background(inherited));
  ::prctl(PR_SET_PDEATHSIG, 0);
  const char done = 0;
  if (::write(ready.get(), &done, 1) != 1) return fail_errno("login agent: ready");
  ready = {};
  static_cast<void>(agent.serve(login, context.clock));
  return {};
}

/// The exit status: 0 if the child continues in the background, otherwise the child's status.
int wait_for(pid_t child, const Descriptor& ready) {
  std::signal(SIGINT, SIG_IGN);  // the child decides: it may be at a prompt
  std::signal(SIGQUIT, SIG_IGN);
  char done = 0;
  ssize_t got = 0;
  do {
    got = ::read(ready.get(), &done, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) return 0;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  constexpr int kSignalled = 128;  // the convention of shells
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace

Result<fs::path> login_socket(const Options& options, const Config& config) {
  USHER_TRY(const fs::path folder, login_folder(options));
  // Hashes the contents of the files: a renewed file of the same name is another installation.
  const auto content_of = [&config](const std::string& name) {
    return read_file(config.path_of(name), kMaxPem).value_or(std::string());
  };
  wire::Writer what;
  for (const std::string& text : {config.url, content_of(config.certificate),
                                  card::is_token_key(config.key) ? config.key : content_of(config.key), config.profile,
                                  config.token, std::to_string(config.slot), config.card_certificate, config.removed}) {
    what.vec32(view_of(text));
  }
  return folder / to_hex(View(crypto::sha256(what.bytes())).first(kNameSize));
}

std::optional<login::LoginClient> kept_login(const Options& options, const Config& config) {
  const auto socket = login_socket(options, config);
  if (!socket) return std::nullopt;
  auto client = login::LoginClient::connect(*socket);
  if (!client) return std::nullopt;
  return *std::move(client);
}

Result<> do_login(Context& context) {
  const std::vector<int> inherited = inherited_descriptors();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("login agent: pipe");
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  // Forks here, while there is one thread and no secret in memory that a fork would duplicate.
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("login agent: fork");
  if (child == 0) {
    read_end = {};
    // Until the login is kept, the child ends when the command ends.
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != parent) return fail(Fault::cancelled, "login agent");
    return keep_login(context, inherited, std::move(write_end));
  }
  write_end = {};
  context.status = wait_for(child, read_end);
  return {};
}

Result<> do_logout(Context& context) {
  USHER_TRY(const fs::path folder, login_folder(context.options));
  std::size_t ended = 0;
  Result<> outcome;  // the first error
  std::error_code ignored;
  std::vector<fs::path> sockets;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_socket(ignored)) sockets.push_back(entry.path());
  }
  for (const fs::path& socket : sockets) {
    const auto done = login::end_login(socket);
    if (done) ++ended;
    if (done) continue;
    if (done.error().fault == Fault::not_found) {
      fs::remove(socket, ignored);  // left over from a killed agent
    } else if (outcome) {
      outcome = done;
    }
  }
  if (!outcome) return outcome;
  if (context.options.json) {
    std::fputs(fmt::format("{{\"ended\":{}}}\n", ended).c_str(), stdout);
  } else if (!context.options.quiet) {
    std::fputs(ended == 0 ? "There is no login to end.\n" : "Logged out.\n", stdout);
  }
  return {};
}

}  // namespace usher::cli
