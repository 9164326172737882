#include "client/engine/dial.h"

#include <cstring>
#include <memory>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/encoding.h"
#include "base/os_error.h"

namespace usher::client {
namespace {

constexpr std::chrono::milliseconds kTick{100};  // between checks of `stop`

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::unexpected<Error> unreachable(const Endpoint& server, const std::string& why) {
  return fail(Fault::unreachable, "dial", server.text() + " (" + why + ")");
}

Result<Descriptor> dial_address(const Endpoint& server, const addrinfo& address, Milliseconds deadline,
                                const Stop& stop) {
  Descriptor socket(
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (socket.get() < 0) {
    if (errno == EMFILE || errno == ENFILE) return fail_errno("dial");
    return unreachable(server, std::strerror(errno));
  }
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return unreachable(server, std::strerror(errno));
    USHER_TRY(const bool answered, Patience(deadline, stop).wait(socket.get(), POLLOUT));
    if (!answered) return unreachable(server, "it does not answer");
    int failed = 0;
    socklen_t size = sizeof failed;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
    if (failed != 0) return unreachable(server, std::strerror(failed));
  }
  const int on = 1;  // a handshake has many small messages
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

}  // namespace

Result<Endpoint> endpoint_from_text(std::string_view text) {
  auto endpoint = Endpoint::from_text(text);
  if (endpoint && endpoint->port != 0) return *std::move(endpoint);
  return fail(Fault::bad_usage, "endpoint",
              "a server is given as HOST:PORT or [ADDRESS]:PORT, not as " + printable(text));
}

Result<bool> Patience::wait(int descriptor, short events) const {
  for (;;) {
    if (*stop_ && (*stop_)()) return fail(Fault::cancelled, "wait");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    pollfd one{.fd = descriptor, .events = events, .revents = 0};
    const auto tick = std::clamp(left, std::chrono::milliseconds(0), kTick);
    const int ready = ::poll(&one, 1, static_cast<int>(tick.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return fail_errno("wait");
    if (ready == 0 && left.count() <= 0) return false;
  }
}

Result<Descriptor> dial(const Endpoint& server, Milliseconds deadline, const Stop& stop) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  const std::string port = std::to_string(server.port);
  addrinfo* found = nullptr;
  int wrong = ::getaddrinfo(server.host.c_str(), port.c_str(), &hints, &found);
  if (wrong != 0) {
    // AI_ADDRCONFIG does not count the loopback address. A host without a network can still connect to itself.
    hints.ai_flags = AI_NUMERICSERV;
    wrong = ::getaddrinfo(server.host.c_str(), port.c_str(), &hints, &found);
  }
  if (wrong != 0) return unreachable(server, ::gai_strerror(wrong));
  const Addresses addresses(found);
  Result<Descriptor> socket = unreachable(server, "it has no address");
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    socket = dial_address(server, *address, deadline, stop);
    if (socket || socket.error().fault == Fault::cancelled) break;
  }
  return socket;
}

}  // namespace usher::client
