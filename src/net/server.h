// net/server: one usher server, wired together: listeners, sessions, requests, and what is done now and then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "identity/pseudonym.h"
#include "net/authorities.h"
#include "net/file_stream.h"
#include "net/http_server.h"
#include "net/keepers.h"
#include "net/media_service.h"
#include "net/metrics.h"
#include "net/readiness.h"
#include "net/session_table.h"

namespace usher::net {

struct ServerOptions {
  std::vector<Endpoint> listen{};           // the media channel
  std::vector<Endpoint> operator_listen{};  // empty: none
  unsigned threads = 0;                     // 0: one for each processor, two at least
  HttpLimits http{};
  SessionLimits sessions{};
  std::optional<FileStreamOptions> files{};  // none: no file stream
  Seconds keep_operations{30 * 24 * 3600};   // how long a repeated operation is known as one
};

/// What changes with a reload, as one.
struct ServerSnapshot {
  std::shared_ptr<const Authorities> authorities;
  std::shared_ptr<const ServicePolicy> policy;
  std::optional<FileSnapshot> files{};  // none: nothing is shared
  std::vector<std::string> names;       // Host names of the media channel
  /// What ends when, beside what the trust stores hold: "server certificate", …
  Expiries expiries;
};

class Server {
 public:
  /// All references are borrowed.
  struct Parts {
    store::Store& store;
    const media::Vault& vault;
    LicenceIssuer issuer;
    const identity::PseudonymKey& pseudonyms;
    const Clock& clock;
    Random& random;
    Log& log;
    Keepers* keepers = nullptr;  // none: nothing is fetched
    /// Everything outside of the server that keeps it from working, a few words each. May be null.
    std::function<std::vector<std::string>()> not_ready{};
  };
  Server(ServerOptions options, Parts parts, ServerSnapshot snapshot);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds the listeners and serves. Errors: those of HttpServer::listen.
  [[nodiscard]] Result<> start();
  /// As bound: the media channel's, the file stream's, the operator's.
  [[nodiscard]] const std::vector<Endpoint>& endpoints() const noexcept;
  [[nodiscard]] const std::vector<Endpoint>& file_endpoints() const noexcept;
  [[nodiscard]] const std::vector<Endpoint>& operator_endpoints() const noexcept;

  /// Before a reload with the first share: binds the file stream's listeners. Does nothing where it runs already, or where
  /// there is no share. Errors: those of FileStream::start; then nothing has changed.
  [[nodiscard]] Result<> start_files(const FileStreamOptions& options, const ServerSnapshot& snapshot);
  /// Replaces everything that a reload may change, and ends the sessions that would no longer be taken.
  void reload(ServerSnapshot snapshot);
  /// For the metric alone: a reload was refused, the old snapshot stays.
  void note_refused_reload();

  /// Stops accepting, finishes what is under way. Whether all connections ended within `patience`.
  bool drain(Milliseconds patience);
  /// At once.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::net
