// identity/login_wire: the messages between a program and the login agent.  Spec: identity.md §6.5.
//
// One message a packet. A request's body begins with an operation, an answer's with a status. Both ends are of one
// release: there is no version.
#pragma once

#include <filesystem>

#include <sys/socket.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace usher::identity::login_wire {

inline constexpr std::size_t kMaxMessage = 32 << 10;  // bytes
inline constexpr Seconds kReady{10};     // to be connected to, and for the first answer: longer, and it hangs
inline constexpr Seconds kPatience{20};  // for the others: a token may be asked meanwhile

enum class Operation : std::uint8_t {
  look = 1,
  rsa_sign = 2,
  rsa_decrypt = 3,
  ecdsa = 4,
  agree = 5,
  bind = 6,
  end = 7
};
/// `over`: the login has ended, and the error says why. It is sent without being asked for.
enum class Status : std::uint8_t { done = 0, refused = 1, over = 2 };

/// What an agent keeps, as `look` tells it: the installation's public key, and the statement.
struct Kept {
  Bytes spki{};
  Bytes statement{};
};
[[nodiscard]] Bytes encode(const Kept& kept);
[[nodiscard]] Result<Kept> decode_kept(View body);

/// Sends head ‖ tail. `flags`: as send(2)'s. Errors: interrupted (the other side is gone, or takes nothing), io.
[[nodiscard]] Result<> send(int socket, std::uint8_t head, View tail, int flags = 0);
/// Errors: interrupted (the other side is gone); server_busy (nothing came in time); malformed (empty, too long); io.
[[nodiscard]] Result<crypto::Secret> receive(int socket, int flags = 0);

/// How long a socket waits for the other side.
void wait_at_most(int socket, Seconds time);
/// A socket, and `call` (bind or connect) done with `path`, whose directory may be longer than an address may be.
/// Errors: not_found, also: nobody listens there any more; not_permitted; busy, it takes nobody within kReady; io.
[[nodiscard]] Result<Descriptor> socket_at(const std::filesystem::path& path, decltype(&::connect) call);
/// The process at the other end, if it is of this process's user. Errors: not_permitted.
[[nodiscard]] Result<pid_t> peer_of(int socket);

}  // namespace usher::identity::login_wire
