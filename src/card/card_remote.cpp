// The CardService that uses a child process (identity.md §9.6).
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "card/card_agent.h"
#include "card/card_wire.h"

namespace usher::card {
namespace {

using card_wire::Operation;

constexpr Milliseconds kFarewell{3'000};  // for the child to log out and to finalise the module

/// Owns a child process. The destructor kills it if it still runs, and waits for it.
class Child {
 public:
  explicit Child(pid_t id) noexcept : id_(id) {}
  ~Child() { end(); }
  Child(Child&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&&) = delete;

  /// Returns the wait status; nullopt if there is no status.
  std::optional<int> end() noexcept {
    const pid_t id = std::exchange(id_, 0);
    if (id <= 0) return std::nullopt;
    ::kill(id, SIGKILL);  // no effect on a process that has ended
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(id, &status, 0);
    } while (got < 0 && errno == EINTR);
    return got == id ? std::optional(status) : std::nullopt;
  }

 private:
  pid_t id_;
};

class SpawnSetup {
 public:
  explicit SpawnSetup(int socket, bool silent) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
    // A module may print, and our standard output can be a pipe into a player.
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (silent) ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, socket, kCardAgentDescriptor);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, kCardAgentDescriptor + 1);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  int spawn(pid_t& id, const std::filesystem::path& program) {
    char name[] = "usher-card";
    char verb[sizeof kCardAgentVerb];
    std::ranges::copy(kCardAgentVerb, verb);
    char* const argv[] = {name, verb, nullptr};
    return ::posix_spawn(&id, program.c_str(), &files_, &attributes_, argv, environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

class RemoteCard final : public CardService {
 public:
  RemoteCard(Descriptor socket, Child child, AgentOptions options)
      : options_(std::move(options)), child_(std::move(child)), socket_(std::move(socket)) {}
  ~RemoteCard() override { say_farewell(); }
  RemoteCard(const RemoteCard&) = delete;
  RemoteCard& operator=(const RemoteCard&) = delete;

  Result<OpenedCard> open(const CardQuery& query) override {
    USHER_TRY(const Bytes body, call(Operation::open, card_wire::encode(query), {}, options_.deadline));
    return understood(card_wire::decode_opened(body));
  }
  Result<SeenModule> survey(const std::string& module) override {
    USHER_TRY(const Bytes body, call(Operation::survey, {}, view_of(module), options_.deadline));
    return understood(card_wire::decode_seen(body));
  }
  Result<p11::TokenInfo> token() override {
    USHER_TRY(const Bytes body, call(Operation::token, {}, {}, options_.deadline));
    return understood(card_wire::decode_token(body));
  }
  Result<p11::KeyUse> login(const crypto::Secret* pin) override {
    const Bytes head{static_cast<std::uint8_t>(pin != nullptr ? 1 : 0)};
    at_reader_ = pin == nullptr;
    USHER_TRY(const Bytes body, call(Operation::login, head, pin != nullptr ? pin->expose() : View{}, time_for_pin()));
    USHER_TRY(const p11::KeyUse use, understood(card_wire::decode_use(body)));
    if (use == p11::KeyUse::after_login) at_reader_ = false;
    return use;
  }
  Result<p11::CardSignature> sign(View message) override {
    USHER_TRY(const Bytes body, call(Operation::sign, {}, message, time_for_pin()));
    return understood(card_wire::decode_signature(body));
  }
  Result<> logout() override {
    USHER_CHECK(call(Operation::logout, {}, {}, options_.deadline));
    return {};
  }
  Result<> present() override {
    USHER_CHECK(call(Operation::present, {}, {}, options_.deadline));
    return {};
  }

 private:
  template <class T>
  static Result<T> understood(Result<T> value) {
    if (!value) return fail(Fault::module_failed, "card agent: answer");
    return value;
  }

  Result<Bytes> call(Operation operation, View head, View tail, Milliseconds limit) {
    if (socket_.get() < 0) return fail(Fault::module_failed, "card agent: ended", "it has been ended");
    const auto until = std::chrono::steady_clock::now() + limit;
    const std::uint8_t code = static_cast<std::uint8_t>(operation);
    if (auto sent = card_wire::send(socket_.get(), concat({View(&code, 1), head}), tail, until); !sent) {
      return lost(sent.error(), limit);
    }
    const auto body = card_wire::receive(socket_.get(), until);
    if (!body) return lost(body.error(), limit);
    const View answer = body->expose();
    if (answer.empty()) return lost({Fault::malformed, "card agent: answer"}, limit);
    if (answer[0] == 0) return to_bytes(answer.subspan(1));
    return std::unexpected(card_wire::decode_error(answer.subspan(1)));
  }

  /// Gives up the child. Returns the error that describes how it failed.
  std::unexpected<Error> lost(const Error& error, Milliseconds limit) {
    socket_ = Descriptor();
    if (error.fault == Fault::server_busy) {
      child_.end();
      return fail(Fault::module_failed, "card agent: deadline",
                  fmt::format("it gave no answer within {} s", std::chrono::duration<double>(limit).count()));
    }
    const auto status = child_.end();
    if (status && WIFSIGNALED(*status) && WTERMSIG(*status) != SIGKILL) {
      return fail(Fault::module_failed, "card agent: crash", fmt::format("it crashed (signal {})", WTERMSIG(*status)));
    }
    return fail(Fault::module_failed, "card agent: end", "it ended without an answer");
  }

  void say_farewell() noexcept {
    if (socket_.get() < 0) return;
    ::shutdown(socket_.get(), SHUT_WR);
    pollfd entry{socket_.get(), POLLIN, 0};
    const auto until = std::chrono::steady_clock::now() + kFarewell;
    for (;;) {
      const auto left = std::chrono::ceil<Milliseconds>(until - std::chrono::steady_clock::now()).count();
      if (left <= 0 || ::poll(&entry, 1, static_cast<int>(left)) >= 0 || errno != EINTR) break;
    }
  }

  [[nodiscard]] Milliseconds time_for_pin() const { return at_reader_ ? options_.login_deadline : options_.deadline; }

  bool at_reader_ = false;  // the PIN is typed at the reader during the next call
  AgentOptions options_;
  Child child_;
  Descriptor socket_;
};

}  // namespace

Result<std::unique_ptr<CardService>> remote_card(const AgentOptions& options) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail(Fault::module_failed, "card agent: socket");
  }
  Descriptor ours(pair[0]);
  const Descriptor theirs(pair[1]);
  pid_t id = 0;
  if (SpawnSetup(theirs.get(), options.silent).spawn(id, options.program) != 0) {
    return fail(Fault::module_failed, "card agent: start", options.program.string());
  }
  return std::make_unique<RemoteCard>(std::move(ours), Child(id), options);
}

}  // namespace usher::card
