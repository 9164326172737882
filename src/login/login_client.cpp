#include "login/login_client.h"

#include <cerrno>
#include <csignal>
#include <mutex>

#include <unistd.h>

#include "base/os_error.h"
#include "card/card_wire.h"
#include "card/remote_key.h"
#include "login/login_wire.h"

namespace usher::login {
namespace {

using login_wire::Operation;
using login_wire::Status;

Result<Descriptor> dial(const std::filesystem::path& path) {
  USHER_TRY(Descriptor socket, login_wire::socket_at(path, ::connect));
  USHER_CHECK(login_wire::peer_of(socket.get()));
  return socket;
}

/// An agent that is gone or hangs must not look like a network error to the caller.
std::unexpected<Error> is_over(const std::string& why) {
  return fail(Fault::not_authenticated, "login agent",
              "the login that was kept has ended" + (why.empty() ? "" : ": " + why),
              "Run `usher login` again, or `usher logout` to be asked by each verb.");
}

/// The content of an answer. Errors: the agent's; malformed.
Result<crypto::Secret> result_of(const crypto::Secret& answer) {
  const View all = answer.expose();
  if (all.empty()) return fail(Fault::malformed, "login agent");
  if (all[0] == static_cast<std::uint8_t>(Status::done)) return crypto::Secret::copy_of(all.subspan(1));
  return std::unexpected(card::card_wire::decode_error(all.subspan(1)));
}

}  // namespace

class LoginClient::Connection {
 public:
  explicit Connection(Descriptor socket) : socket_(std::move(socket)) {}
  Result<crypto::Secret> ask(Operation operation, View body) {
    const std::scoped_lock guard(lock_);
    const auto sent = login_wire::send(socket_.get(), static_cast<std::uint8_t>(operation), body);
    // If the agent has ended, it sent the reason before it closed.
    const auto answer = login_wire::receive(socket_.get(), sent ? 0 : MSG_DONTWAIT);
    if (!answer) {
      // A late answer would be taken for the answer to the next request.
      ::shutdown(socket_.get(), SHUT_RDWR);
      return is_over("its agent does not answer");
    }
    login_wire::wait_at_most(socket_.get(), login_wire::kPatience);
    auto result = result_of(*answer);
    // If the agent ended because the card was taken out, report that error.
    const bool over = answer->expose()[0] == static_cast<std::uint8_t>(Status::over);
    if (over && exit_class_of(result.error().fault) != ExitClass::card) return is_over(result.error().about);
    return result;
  }

 private:
  std::mutex lock_;
  Descriptor socket_;
};

class LoginClient::Key final : public card::RemoteKey {
 public:
  Key(std::shared_ptr<Connection> connection, crypto::PublicKey key)
      : connection_(std::move(connection)), key_(std::move(key)) {}
  const crypto::PublicKey& public_key() const noexcept override { return key_; }
  Result<crypto::Secret> raw(card::p11::RawUse use, View input) override {
    switch (use) {
      case card::p11::RawUse::rsa_sign:
        return connection_->ask(Operation::rsa_sign, input);
      case card::p11::RawUse::rsa_decrypt:
        return connection_->ask(Operation::rsa_decrypt, input);
      case card::p11::RawUse::ecdsa:
        return connection_->ask(Operation::ecdsa, input);
    }
    return fail(Fault::local, "login agent: use");
  }
  Result<crypto::Secret> agree(View point) override { return connection_->ask(Operation::agree, point); }

 private:
  std::shared_ptr<Connection> connection_;
  crypto::PublicKey key_;
};

class LoginClient::Person final : public person::PersonLogin {
 public:
  Person(std::shared_ptr<Connection> connection, person::Statement statement)
      : person::PersonLogin(std::move(statement)), connection_(std::move(connection)) {}
  Result<person::AuthRequest> bind(View exporter) const override {
    USHER_TRY(const crypto::Secret request, connection_->ask(Operation::bind, exporter));
    return person::AuthRequest::decode(request.expose());
  }

 private:
  std::shared_ptr<Connection> connection_;
};

Result<LoginClient> LoginClient::connect(const std::filesystem::path& socket) {
  USHER_TRY(Descriptor made, dial(socket));
  auto connection = std::make_shared<Connection>(std::move(made));
  USHER_TRY(const crypto::Secret answer, connection->ask(Operation::look, {}));
  USHER_TRY(const login_wire::Kept kept, login_wire::decode_kept(answer.expose()));
  USHER_TRY(crypto::PublicKey key, crypto::PublicKey::from_spki(kept.spki));
  USHER_TRY(person::Statement statement, person::Statement::decode(kept.statement));
  auto person = std::make_shared<const Person>(connection, std::move(statement));
  return LoginClient(std::move(connection), std::move(person), std::move(key));
}

Result<crypto::PrivateKey> LoginClient::installation() const {
  return card::key_over(std::make_shared<Key>(connection_, key_));
}

Result<> end_login(const std::filesystem::path& path) {
  USHER_TRY(const Descriptor socket, dial(path));
  USHER_TRY(const pid_t agent, login_wire::peer_of(socket.get()));
  // The agent first sends its answer, then `over`. After that its socket is gone.
  int answers = 0;
  if (login_wire::send(socket.get(), static_cast<std::uint8_t>(Operation::end), {})) {
    while (answers < 2 && login_wire::receive(socket.get())) ++answers;
  }
  if (answers > 0) return {};
  // The agent hangs, or it already has the maximum number of clients.
  if (::kill(agent, SIGKILL) != 0 && errno != ESRCH) return fail_errno("login agent: end");
  ::unlink(path.c_str());
  return {};
}

Result<> LoginWatch::begin(const std::filesystem::path& path, Over over) {
  USHER_TRY(Descriptor socket, dial(path));
  login_wire::wait_at_most(socket.get(), Seconds(0));  // no limit
  thread_ = std::jthread([socket = std::move(socket), over = std::move(over)](const std::stop_token& stop) {
    const std::stop_callback wake(stop, [&] { ::shutdown(socket.get(), SHUT_RDWR); });
    const auto said = login_wire::receive(socket.get());
    if (stop.stop_requested()) return;
    if (!said) return over(said.error());
    if (const auto result = result_of(*said); !result) over(result.error());
  });
  return {};
}

}  // namespace usher::login
