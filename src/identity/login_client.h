// identity/login_client: the login that an agent keeps, as a program uses it.  Spec: identity.md §6.5.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "identity/statement.h"

namespace usher::identity {

class LoginClient {
 public:
  /// Errors: not_found, nobody keeps a login there; not_permitted, somebody else does; malformed; interrupted.
  [[nodiscard]] static Result<LoginClient> connect(const std::filesystem::path& socket);

  /// Whose operations the agent does. Errors: local.
  [[nodiscard]] Result<crypto::PrivateKey> installation() const;
  [[nodiscard]] std::shared_ptr<const PersonLogin> person() const noexcept { return person_; }
  /// Ends the login: the agent forgets all. Errors: interrupted, io.
  [[nodiscard]] Result<> end() const;

 private:
  class Connection;
  class Key;
  class Person;
  LoginClient(std::shared_ptr<Connection> connection, std::shared_ptr<const PersonLogin> person, crypto::PublicKey key)
      : connection_(std::move(connection)), person_(std::move(person)), key_(std::move(key)) {}
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<const PersonLogin> person_;
  crypto::PublicKey key_;
};

/// Notices, from a thread of its own, that the agent ends its login.
class LoginWatch {
 public:
  /// Called once: what the agent says (card_removed, cancelled, bad_statement); interrupted, where it says nothing.
  using Over = std::function<void(const Error& why)>;
  /// Errors: as LoginClient::connect.
  [[nodiscard]] Result<> begin(const std::filesystem::path& socket, Over over);

 private:
  std::jthread thread_;
};

}  // namespace usher::identity
