// login/login_agent: keeps a login in memory, so that later programs can use it without passphrase and PIN.
// Spec: identity.md §6.5.
//
// The private keys never leave the agent: it signs and binds for the programs (login_client.h). It trusts each program
// of the same user, because such a program could ask the person for the PIN itself.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "person/statement.h"

namespace usher::login {

inline constexpr std::size_t kMaxLoginClients = 64;  // connections at once
inline constexpr char kLoginLock[] = "lock";         // next to the sockets: locked while one agent replaces another

struct KeptLogin {
  std::shared_ptr<const crypto::PrivateKey> installation;
  std::shared_ptr<const person::PersonLogin> person;
};

class LoginAgent {
 public:
  /// Prepares an agent for `socket`. Creates its directory with mode 0700 if that is missing, but not yet the socket.
  /// Errors: not_permitted (also: others may enter the directory), disk_full, io.
  [[nodiscard]] static Result<LoginAgent> create(const std::filesystem::path& socket);
  LoginAgent(LoginAgent&&) noexcept;
  LoginAgent& operator=(LoginAgent&&) noexcept;
  ~LoginAgent();

  /// Makes serve() return `why`. May be called from any thread, at any time.
  void end(const Error& why);
  /// Creates the socket with mode 0700. Before that it ends the agent that served there. Errors: not_permitted,
  /// disk_full, io; those of end_login except not_found.
  [[nodiscard]] Result<> publish();
  /// Serves until the statement ends, a client sends `end`, or end() is called. Then sends the reason to every client,
  /// removes the socket, and returns the reason.
  Error serve(const KeptLogin& login, const Clock& clock);

 private:
  struct State;
  explicit LoginAgent(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Locks this process's memory, so that it is not swapped out: OpenSSL's keys, heap and stack. Call it once before the
/// first secret is in memory, and again when all secrets are. Errors: not_permitted, if the system locks no memory for
/// this user.
[[nodiscard]] Result<> lock_memory();

}  // namespace usher::login
