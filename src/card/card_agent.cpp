#include "card/card_agent.h"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string_view>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process_memory.h"
#include "card/card_wire.h"
#include "wire/codec.h"

namespace usher::card {
namespace {

using card_wire::Operation;

/// Ends the process when the other side is gone and the module does not return. PR_SET_PDEATHSIG is not usable here: it
/// follows the parent's *thread*, so it would end this process as soon as the program's login thread ends.
class Watchdog {
 public:
  explicit Watchdog(int socket) : thread_([this, socket] { watch(socket); }) {}
  ~Watchdog() {
    {
      const std::scoped_lock guard(lock_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  static constexpr Seconds kGrace{2};  // for logging out and finalising the module

  void watch(int socket) {
    pollfd entry{socket, POLLRDHUP, 0};
    while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {}
    std::unique_lock guard(lock_);
    if (!changed_.wait_for(guard, kGrace, [this] { return done_; })) ::_exit(1);
  }

  std::mutex lock_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

void harden() {
  [[maybe_unused]] const auto done = make_memory_private();  // best effort: the card can be used without it
  // Ctrl-C reaches the whole process group. The parent decides whether the card is still needed.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

template <class T>
Result<Bytes> encoded(Result<T> value) {
  if (!value) return std::unexpected(std::move(value).error());
  return card_wire::encode(*value);
}

Result<Bytes> nothing(Result<> value) {
  if (!value) return std::unexpected(std::move(value).error());
  return Bytes{};
}

Result<Bytes> login(CardService& card, View body) {
  wire::Reader in(body, "card agent");
  const bool has_pin = in.flag();
  const View pin = in.rest();
  USHER_CHECK(in.finish());
  if (!has_pin) return encoded(card.login(nullptr));
  const auto secret = crypto::Secret::copy_of(pin);
  return encoded(card.login(&secret));
}

Result<Bytes> answer(CardService& card, View request) {
  if (request.empty()) return fail(Fault::malformed, "card agent");
  const View body = request.subspan(1);
  switch (static_cast<Operation>(request[0])) {
    case Operation::open: {
      USHER_TRY(const CardQuery query, card_wire::decode_query(body));
      return encoded(card.open(query));
    }
    case Operation::survey:
      return encoded(card.survey(std::string(text_of(body))));
    case Operation::token:
      return encoded(card.token());
    case Operation::login:
      return login(card, body);
    case Operation::sign:
      return encoded(card.sign(body));
    case Operation::logout:
      return nothing(card.logout());
    case Operation::present:
      return nothing(card.present());
  }
  return fail(Fault::malformed, "card agent");
}

}  // namespace

std::optional<int> card_agent_requested(int argc, const char* const* argv) noexcept {
  if (argc != 2 || std::string_view(argv[1]) != kCardAgentVerb) return std::nullopt;
  int kind = 0;
  socklen_t size = sizeof kind;
  // If a user typed the verb, there is no socket.
  if (::getsockopt(kCardAgentDescriptor, SOL_SOCKET, SO_TYPE, &kind, &size) != 0) return std::nullopt;
  return kCardAgentDescriptor;
}

int run_card_agent(int descriptor) {
  harden();
  const Watchdog watchdog(descriptor);
  auto card = local_card();
  for (;;) {
    const auto request = card_wire::receive(descriptor, {});
    if (!request) break;
    const auto result = answer(*card, request->expose());
    const std::uint8_t status = result ? 0 : 1;
    const Bytes body = result ? *result : card_wire::encode(result.error());
    if (!card_wire::send(descriptor, {&status, 1}, body, {})) break;
  }
  card.reset();                       // logs out and finalises the module: the parent waits for it
  ::shutdown(descriptor, SHUT_RDWR);  // notifies the parent, and wakes the watchdog whatever ended the loop
  return 0;
}

}  // namespace usher::card
