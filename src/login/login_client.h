// login/login_client: how a program uses a login that an agent keeps.  Spec: identity.md §6.5.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "person/statement.h"

namespace usher::login {

class LoginClient {
 public:
  /// Errors: not_found, no login is kept there; not_permitted, another user keeps one; not_authenticated or busy, its
  /// agent does not answer; malformed.
  [[nodiscard]] static Result<LoginClient> connect(const std::filesystem::path& socket);

  /// The installation's key. The agent performs its operations. They and bind() fail with not_authenticated if the
  /// login has ended. Errors: local.
  [[nodiscard]] Result<crypto::PrivateKey> installation() const;
  [[nodiscard]] std::shared_ptr<const person::PersonLogin> person() const noexcept { return person_; }

 private:
  class Connection;
  class Key;
  class Person;
  LoginClient(std::shared_ptr<Connection> connection, std::shared_ptr<const person::PersonLogin> person,
              crypto::PublicKey key)
      : connection_(std::move(connection)), person_(std::move(person)), key_(std::move(key)) {}
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<const person::PersonLogin> person_;
  crypto::PublicKey key_;
};

/// Ends the login that is kept there: the agent forgets everything. An agent that does not answer is killed.
/// Errors: not_found, no login is kept there; not_permitted; busy, it cannot be reached; io.
[[nodiscard]] Result<> end_login(const std::filesystem::path& socket);

/// Reports, from its own thread, when the agent ends its login.
class LoginWatch {
 public:
  /// Called once with the agent's reason (card_removed, cancelled, bad_statement); interrupted if it gives no reason.
  using Over = std::function<void(const Error& why)>;
  /// Errors: as LoginClient::connect.
  [[nodiscard]] Result<> begin(const std::filesystem::path& socket, Over over);

 private:
  std::jthread thread_;
};

}  // namespace usher::login
