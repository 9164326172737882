#include "login/login_agent.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <vector>

#include <malloc.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/os_error.h"
#include "card/card_wire.h"
#include "login/login_client.h"
#include "login/login_wire.h"

namespace usher::login {
namespace fs = std::filesystem;
namespace {

using login_wire::Operation;
using login_wire::Status;

constexpr int kSpare = 1 << 20;                  // bytes of unused heap that are locked as well
constexpr Milliseconds kLongestWait{30'000};     // between two checks of the clock: the machine may have slept
constexpr std::size_t kSecureMemory = 32 << 10;  // bytes, a power of two: more than the largest keys take

Result<> check_private(const fs::path& folder) {
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0) return fail_errno("login agent: directory", folder.string());
  if (found.st_uid == ::geteuid() && (found.st_mode & 0077U) == 0) return {};
  return fail(Fault::not_permitted, "login agent: directory", folder.string() + " is not this user's alone",
              "Make it this user's own, with mode 0700.");
}

Result<crypto::Secret> answer(const KeptLogin& login, View request) {
  const View body = request.subspan(1);
  switch (static_cast<Operation>(request[0])) {
    case Operation::look:
      return crypto::Secret::take(login_wire::encode(
          {.spki = login.installation->public_key().spki(), .statement = login.person->statement().encode()}));
    case Operation::rsa_sign:
    case Operation::ecdsa:
      return login.installation->sign_raw(body);
    case Operation::rsa_decrypt:
      return login.installation->decrypt_raw(body);
    case Operation::agree:
      return login.installation->agree(body);
    case Operation::bind: {
      USHER_TRY(const person::AuthRequest bound, login.person->bind(body));
      return crypto::Secret::take(bound.encode());
    }
    case Operation::end:
      return crypto::Secret{};
  }
  return fail(Fault::malformed, "login agent");
}

std::unexpected<Error> cannot_lock() {
  return fail(Fault::not_permitted, "login agent: memory",
              "the system does not let this user keep memory out of the swap",
              "Raise the limit of locked memory (ulimit -l) to 8 MiB at least.");
}

}  // namespace

struct LoginAgent::State {
  fs::path path;
  Descriptor listening;
  Descriptor wake;
  ino_t inode = 0;
  std::vector<Descriptor> clients{};
  std::mutex lock{};
  std::optional<Error> why{};  // under lock

  std::optional<Error> over(const Time not_after, Time now) {
    const std::scoped_lock guard(lock);
    if (!why && now >= not_after) why = Error{Fault::bad_statement, "login agent: end", "its time is over"};
    return why;
  }
  void accept() {
    Descriptor client(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.is_open() && login_wire::peer_of(client.get()) && clients.size() < kMaxLoginClients) {
      clients.push_back(std::move(client));
    }
  }
  /// False: the client is gone, or does not follow the protocol.
  bool serve(int client, const KeptLogin& login) {
    const auto request = login_wire::receive(client, MSG_DONTWAIT);
    if (!request) return request.error().fault == Fault::server_busy;
    const auto done = answer(login, request->expose());
    const Status status = done ? Status::done : Status::refused;
    const crypto::Secret body = done ? done->clone() : crypto::Secret::take(card::card_wire::encode(done.error()));
    if (!login_wire::send(client, static_cast<std::uint8_t>(status), body.expose(), MSG_DONTWAIT)) return false;
    if (request->expose()[0] == static_cast<std::uint8_t>(Operation::end)) {
      const std::scoped_lock guard(lock);
      if (!why) why = Error{Fault::cancelled, "login agent: end", "by usher logout or another login"};
    }
    return true;
  }
  void remove(const fs::path& name) const {
    struct stat found{};
    if (::lstat(name.c_str(), &found) == 0 && found.st_ino == inode) ::unlink(name.c_str());
  }
};

LoginAgent::LoginAgent(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoginAgent::LoginAgent(LoginAgent&&) noexcept = default;
LoginAgent& LoginAgent::operator=(LoginAgent&&) noexcept = default;
LoginAgent::~LoginAgent() {
  if (!state_) return;
  state_->remove(state_->path);
}

Result<LoginAgent> LoginAgent::create(const fs::path& socket) {
  auto state = std::make_unique<State>();
  state->path = socket;
  USHER_CHECK(make_private_directory(socket.parent_path()));
  USHER_CHECK(check_private(socket.parent_path()));
  state->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->wake.is_open()) return fail_errno("login agent: wake");
  return LoginAgent(std::move(state));
}

void LoginAgent::end(const Error& why) {
  const std::scoped_lock guard(state_->lock);
  if (!state_->why) state_->why = why;
  static_cast<void>(::eventfd_write(state_->wake.get(), 1));
}

Result<> LoginAgent::publish() {
  // If two agents publish at once, the lock makes one the predecessor of the other: no agent is left without a name.
  USHER_TRY(const FileLock lock, FileLock::wait(state_->path.parent_path() / kLoginLock));
  // Binds to a temporary name first. So a program always finds an agent that listens: the previous one or this one.
  const fs::path first = state_->path.string() + "." + std::to_string(::getpid());
  ::unlink(first.c_str());
  USHER_TRY(state_->listening, login_wire::socket_at(first, ::bind));
  struct stat found{};
  // The directory keeps other users out until the mode is set.
  if (::chmod(first.c_str(), S_IRWXU) != 0 || ::stat(first.c_str(), &found) != 0 ||
      ::listen(state_->listening.get(), static_cast<int>(kMaxLoginClients)) != 0) {
    return fail_errno("login agent: socket", first.string());
  }
  // There may be no previous agent.
  if (auto before = end_login(state_->path); !before && before.error().fault != Fault::not_found) return before;
  if (::rename(first.c_str(), state_->path.c_str()) != 0) {
    auto failed = fail_errno("login agent: socket", state_->path.string());
    ::unlink(first.c_str());
    return failed;
  }
  state_->inode = found.st_ino;
  return {};
}

Error LoginAgent::serve(const KeptLogin& login, const Clock& clock) {
  std::optional<Error> why;
  while (!(why = state_->over(login.person->not_after(), clock.now()))) {
    std::vector<pollfd> waiting{{state_->wake.get(), POLLIN, 0}, {state_->listening.get(), POLLIN, 0}};
    for (const Descriptor& client : state_->clients) waiting.push_back({client.get(), POLLIN, 0});
    const auto left = std::chrono::ceil<Milliseconds>(login.person->not_after() - clock.now());
    const auto wait = std::clamp(left, Milliseconds(0), kLongestWait);
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(wait.count())) <= 0) continue;
    // A machine that slept may wake with a request waiting: check the clock before serving it.
    if (state_->over(login.person->not_after(), clock.now())) continue;
    for (std::size_t i = waiting.size(); i-- > 2;) {
      if (waiting[i].revents != 0 && !state_->serve(waiting[i].fd, login)) {
        state_->clients.erase(state_->clients.begin() + static_cast<std::ptrdiff_t>(i - 2));
      }
    }
    if (waiting[1].revents != 0) state_->accept();
  }
  state_->remove(state_->path);
  // Clients that have just connected get the reason too.
  for (pollfd more{state_->listening.get(), POLLIN, 0}; ::poll(&more, 1, 0) > 0;) state_->accept();
  const Bytes told = card::card_wire::encode(*why);
  for (const Descriptor& client : state_->clients) {
    // A client that is gone gets no message.
    if (!login_wire::send(client.get(), static_cast<std::uint8_t>(Status::over), told, MSG_DONTWAIT)) continue;
  }
  state_->clients.clear();
  return *std::move(why);
}

Result<> lock_memory() {
  // OpenSSL keeps a key in its secure memory, but the factors of an RSA key also in ordinary memory.
  ::mallopt(M_TOP_PAD, kSpare);
  // 1: done; 2: the memory is allocated, but the system did not lock it.
  if (CRYPTO_secure_malloc_initialized() == 0 && CRYPTO_secure_malloc_init(kSecureMemory, sizeof(void*) * 4) != 1) {
    return cannot_lock();
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[heap]") && !line.ends_with("[stack]")) continue;  // BEGIN-END …, hexadecimal
    std::istringstream range(line);
    void* begin = nullptr;
    void* end = nullptr;
    char dash = 0;
    if (!(range >> begin >> dash >> end)) return cannot_lock();
    const auto size = static_cast<const char*>(end) - static_cast<const char*>(begin);
    if (::mlock(begin, static_cast<std::size_t>(size)) != 0) return cannot_lock();
  }
  return {};
}

}  // namespace usher::login
