// usher/session: the steps between the command line and the listener: files, trust, card, connection.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "client/listener.h"
#include "common/passphrase.h"
#include "config.h"
#include "login/login_agent.h"

namespace usher::cli {

/// The options of the command line.
struct Options {
  std::filesystem::path home{};         // --home, USHER_HOME; empty: XDG directories
  std::filesystem::path config_file{};  // --config
  std::vector<std::string> set{};       // --set key=value
  std::vector<app::Setting> flags{};    // flags that set keys, applied after `set`
  app::PassphraseSource passphrase{};
  app::PassphraseSource pin{};
  bool last_try = false;  // the PIN's last try may be spent
  bool json = false;
  bool quiet = false;
  bool progress = false;
  bool no_color = false;
};

/// Defaults, file, environment, command line. Errors: bad_config, not_found.
[[nodiscard]] Result<Config> load_config(const Options& options, char** environment);
/// Detects a first run: there is neither a configuration nor the installation's certificate. Errors: not_set_up.
[[nodiscard]] Result<> check_set_up(const Config& config);
/// The directory of the wallet and the revocation marks: the home, or $XDG_DATA_HOME/usher.
[[nodiscard]] Result<std::filesystem::path> data_folder(const Options& options);

/// Whether to use a login that the agent keeps, if there is one.
enum class Kept : std::uint8_t { use, pass_over };
/// Called once, from any thread, with the reason why a login cannot continue.
using Gone = std::function<void(const Error& why)>;

/// A connection with an authenticated person. Ended by api/exit when destroyed.
class PersonConnection {
 public:
  /// `interrupted`: true ends every wait for the server; borrowed, like clock and random. `gone`: as LoginSource's;
  /// empty: Interrupts::stop().
  /// Errors: those of the files; the transport's; the handshake's; the card's; api/auth's.
  [[nodiscard]] static Result<std::unique_ptr<PersonConnection>> open(const Options& options, const Config& config,
                                                                      const std::atomic<bool>& interrupted,
                                                                      const Clock& clock, Random& random,
                                                                      Kept kept = Kept::use, Gone gone = {});
  ~PersonConnection();
  PersonConnection(const PersonConnection&) = delete;
  PersonConnection& operator=(const PersonConnection&) = delete;

  [[nodiscard]] client::Listener& listener() noexcept { return *listener_; }
  /// Ends the session at the server, as the destructor does.
  void leave();
  /// The login for an agent to keep.
  [[nodiscard]] login::KeptLogin login() const { return {.installation = key_, .person = person_}; }

 private:
  struct Parts;
  PersonConnection() = default;
  /// Connects with the newest lists that can be obtained.
  [[nodiscard]] Result<> connect(const Parts& parts);
  /// Errors: those of load_trust and of Engine::connect.
  [[nodiscard]] Result<> try_to_connect(const Parts& parts, const std::vector<pki::Crl>& fetched);
  std::shared_ptr<const crypto::PrivateKey> key_;
  std::shared_ptr<const person::PersonLogin> person_;
  std::unique_ptr<client::HttpTransport> transport_;
  std::unique_ptr<client::Engine> engine_;
  std::unique_ptr<client::Wallet> wallet_;
  std::unique_ptr<client::LiveListener> listener_;
};

}  // namespace usher::cli
