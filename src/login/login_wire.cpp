#include "login/login_wire.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/os_error.h"
#include "person/statement.h"
#include "wire/codec.h"

namespace usher::login::login_wire {
namespace {

constexpr std::string_view kWhere = "login agent";
constexpr std::size_t kMaxSpki = 1024;  // bytes: RSA-4096

}  // namespace

Bytes encode(const Kept& kept) { return wire::Writer{}.vec16(kept.spki).vec16(kept.statement).take(); }

Result<Kept> decode_kept(View body) {
  wire::Reader in(body, kWhere);
  Kept kept;
  kept.spki = to_bytes(in.vec16(1, kMaxSpki));
  kept.statement = to_bytes(in.vec16(1, person::kMaxStatement));
  USHER_CHECK(in.finish());
  return kept;
}

Result<> send(int socket, std::uint8_t head, View tail, int flags) {
  // sendmsg only reads the data, but takes a pointer that is not const.
  iovec parts[] = {{&head, 1}, {const_cast<std::uint8_t*>(tail.data()), tail.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | flags);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  return fail(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN ? Fault::interrupted : Fault::io, kWhere);
}

Result<crypto::Secret> receive(int socket, int flags) {
  crypto::Secret message(kMaxMessage);
  ssize_t got = 0;
  do {
    got = ::recv(socket, message.expose_for_writing().data(), message.size(), MSG_TRUNC | flags);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return fail(Fault::server_busy, kWhere);
  if (got < 0) return fail(errno == ECONNRESET ? Fault::interrupted : Fault::io, kWhere);
  if (got == 0) return fail(Fault::interrupted, kWhere);
  if (static_cast<std::size_t>(got) > kMaxMessage) return fail(Fault::malformed, kWhere);
  message.truncate(static_cast<std::size_t>(got));
  return message;
}

void wait_at_most(int socket, Seconds time) {
  const timeval most{time.count(), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

Result<Descriptor> socket_at(const std::filesystem::path& path, decltype(&::connect) call) {
  const Descriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return fail_errno(kWhere, path.string());
  const std::string brief = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + path.filename().string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (brief.size() >= sizeof address.sun_path) return fail(Fault::too_long, kWhere, path.string());
  std::ranges::copy(brief, std::begin(address.sun_path));
  Descriptor made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!made.is_open()) return fail_errno(kWhere);
  wait_at_most(made.get(), kReady);
  if (call(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ECONNREFUSED) return fail(Fault::not_found, kWhere, path.string());  // left by an agent that is gone
    if (errno == EAGAIN) return fail(Fault::busy, kWhere, path.string());
    return fail_errno(kWhere, path.string());
  }
  return made;
}

Result<pid_t> peer_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid()) return peer.pid;
  return fail(Fault::not_permitted, kWhere, "the socket is another user's");
}

}  // namespace usher::login::login_wire
