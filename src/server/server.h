// server/server: a complete usher server: listeners, sessions, requests and periodic tasks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "person/pseudonym.h"
#include "server/fetching/fetchers.h"
#include "server/files/file_stream.h"
#include "server/http/http_server.h"
#include "server/http/session_table.h"
#include "server/runtime/metrics.h"
#include "server/trust/authorities.h"
#include "server/trust/readiness.h"
#include "service/media_service.h"

namespace usher::server {

struct ServerOptions {
  std::vector<Endpoint> listen{};           // the media channel
  std::vector<Endpoint> operator_listen{};  // empty: no operator's listener
  unsigned threads = 0;                     // workers for requests; 0: two per processor, at least four
  HttpLimits http{};
  SessionLimits sessions{};
  std::optional<FileStreamOptions> files{};  // nullopt: no file stream
  Seconds keep_operations{30 * 24 * 3600};   // how long a repeated operation is recognised
};

/// Everything that a reload replaces, as one unit.
struct ServerSnapshot {
  std::shared_ptr<const Authorities> authorities;
  std::shared_ptr<const service::ServicePolicy> policy;
  std::optional<FileSnapshot> files{};  // nullopt: nothing is shared
  std::vector<std::string> names;       // Host names of the media channel
  /// Expiries in addition to those of the trust stores: "server certificate", …
  Expiries expiries;
};

class Server {
 public:
  /// All references are borrowed.
  struct Parts {
    store::Store& store;
    const media::Vault& vault;
    service::LicenceIssuer issuer;
    const person::PseudonymKey& pseudonyms;
    const Clock& clock;
    Random& random;
    Log& log;
    Fetchers* fetchers = nullptr;  // nullptr: nothing is fetched
    /// Returns all reasons outside of the server why it cannot work, a few words each. May be null.
    std::function<std::vector<std::string>()> not_ready{};
  };
  Server(ServerOptions options, Parts parts, ServerSnapshot snapshot);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds the listeners and serves. Errors: those of HttpServer::listen.
  [[nodiscard]] Result<> start();
  /// The bound endpoints of the media channel, of the file stream and of the operator's listener.
  [[nodiscard]] const std::vector<Endpoint>& endpoints() const noexcept;
  [[nodiscard]] const std::vector<Endpoint>& file_endpoints() const noexcept;
  [[nodiscard]] const std::vector<Endpoint>& operator_endpoints() const noexcept;

  /// To call before a reload: starts the file stream if it does not run yet and `snapshot` has a share. Otherwise does
  /// nothing. Errors: those of FileStream::start; then nothing has changed.
  [[nodiscard]] Result<> start_files(const FileStreamOptions& options, const ServerSnapshot& snapshot);
  /// Replaces everything that a reload may change, and ends the sessions that would no longer be accepted.
  void reload(ServerSnapshot snapshot);
  /// Only counts a refused reload in the metrics; the old snapshot stays.
  void note_refused_reload();

  /// Accepts no new connections and finishes requests in progress. True if all connections ended within `patience`.
  bool drain(Milliseconds patience);
  /// Stops at once, without draining.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::server
