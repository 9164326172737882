// identity/login_agent: keeps a login in memory, so that one program after another uses it without passphrase and PIN.
// Spec: identity.md §6.5.
//
// What is kept never leaves the agent: programs have it sign and bind (login_client.h). A program of the same user is
// believed, as it could ask the person itself.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "identity/statement.h"

namespace usher::identity {

inline constexpr std::size_t kMaxLoginClients = 64;  // connections at once
inline constexpr char kLoginLock[] = "lock";         // beside the sockets: held while one takes another's place

struct KeptLogin {
  std::shared_ptr<const crypto::PrivateKey> installation;
  std::shared_ptr<const PersonLogin> person;
};

class LoginAgent {
 public:
  /// For a socket in a directory of mode 0700 that is made if it is not there. There is no socket yet.
  /// Errors: not_permitted (also: others may enter the directory), disk_full, io.
  [[nodiscard]] static Result<LoginAgent> create(const std::filesystem::path& socket);
  LoginAgent(LoginAgent&&) noexcept;
  LoginAgent& operator=(LoginAgent&&) noexcept;
  ~LoginAgent();

  /// From any thread, at any time: serve() returns `why`.
  void end(const Error& why);
  /// Makes the socket, mode 0700. An agent that served there has ended then. Errors: not_permitted, disk_full, io; those
  /// of end_login but not_found.
  [[nodiscard]] Result<> publish();
  /// Until the statement's end, an `end` of a client, or end(). Tells every client why, and takes the socket away.
  Error serve(const KeptLogin& login, const Clock& clock);

 private:
  struct State;
  explicit LoginAgent(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Keeps what this process holds out of the swap: keys of OpenSSL's, heap and stack. Once before anything secret is there,
/// and again when all is. Errors: not_permitted, the system locks no memory for this user.
[[nodiscard]] Result<> lock_memory();

}  // namespace usher::identity
