// login/login_wire: the messages between a program and the login agent.  Spec: identity.md §6.5.
//
// One message per packet. A request begins with an operation, an answer with a status. Both ends are of one release:
// there is no version.
#pragma once

#include <filesystem>

#include <sys/socket.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace usher::login::login_wire {

inline constexpr std::size_t kMaxMessage = 32 << 10;  // bytes
inline constexpr Seconds kReady{10};     // for connecting and for the first answer; an agent that needs longer hangs
inline constexpr Seconds kPatience{20};  // for the other answers: the agent may have to use a token

enum class Operation : std::uint8_t {
  look = 1,
  rsa_sign = 2,
  rsa_decrypt = 3,
  ecdsa = 4,
  agree = 5,
  bind = 6,
  end = 7
};
/// `over`: the login has ended; the error is the reason. The agent sends it without a request.
enum class Status : std::uint8_t { done = 0, refused = 1, over = 2 };

/// The answer to `look`: the installation's public key, and the statement.
struct Kept {
  Bytes spki{};
  Bytes statement{};
};
[[nodiscard]] Bytes encode(const Kept& kept);
[[nodiscard]] Result<Kept> decode_kept(View body);

/// Sends head ‖ tail. `flags`: as send(2)'s. Errors: interrupted (the other side is gone, or does not read), io.
[[nodiscard]] Result<> send(int socket, std::uint8_t head, View tail, int flags = 0);
/// Receives one message. Errors: interrupted (the other side is gone, or the message is empty); server_busy (no message
/// in time); malformed (too long); io.
[[nodiscard]] Result<crypto::Secret> receive(int socket, int flags = 0);

/// Sets how long a socket waits for the other side. 0: no limit.
void wait_at_most(int socket, Seconds time);
/// Makes a socket, and calls `call` (bind or connect) for `path`. The directory may be longer than a socket address.
/// Errors: not_found, also: no process listens there any more; not_permitted; busy, if it accepts no connection within
/// kReady; io.
[[nodiscard]] Result<Descriptor> socket_at(const std::filesystem::path& path, decltype(&::connect) call);
/// The process at the other end, if it belongs to this process's user. Errors: not_permitted.
[[nodiscard]] Result<pid_t> peer_of(int socket);

}  // namespace usher::login::login_wire
