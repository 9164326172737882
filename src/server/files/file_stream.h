// server/files/file_stream: a server of files over mutual TLS, with one request per connection.  Spec: filestream.md.
#pragma once

#include <memory>
#include <vector>

#include "base/endpoint.h"
#include "base/random.h"
#include "server/files/file_contexts.h"
#include "server/files/file_shares.h"
#include "server/runtime/log.h"
#include "server/runtime/metrics.h"

namespace usher::server {

/// Limits of §1.
struct FileLimits {
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 1'024;  // IPv6: of one /64
  Milliseconds handshake_time{10'000};          // from the accepted connection
  Milliseconds line_time{10'000};               // from the end of the handshake
  Milliseconds stall_time{60'000};              // in which the client takes no byte of an answer
  std::size_t sessions = 10'000;                // that can be resumed
  Seconds session_life{3'600};
};

struct FileStreamOptions {
  std::vector<Endpoint> listen{};
  unsigned threads = 0;  // event loops; 0: one per processor
  FileLimits limits{};
  bool kernel_tls = true;  // let the kernel make records if it and OpenSSL support that
};

/// Everything that a reload replaces, as one unit.
struct FileSnapshot {
  std::shared_ptr<const pki::TrustStore> clients;
  std::shared_ptr<const FileContexts> contexts;
  std::shared_ptr<const FileShares> shares;
};

class FileStream {
 public:
  /// All references are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
  };
  FileStream(FileStreamOptions options, Parts parts, FileSnapshot snapshot);
  ~FileStream();  // stops
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;

  /// Binds the listeners and serves. Errors: busy, not_permitted, bad_config.
  [[nodiscard]] Result<> start();
  [[nodiscard]] const std::vector<Endpoint>& endpoints() const noexcept;  // as bound

  /// Used for new connections. Open connections are closed if their client would no longer be accepted.
  void reload(FileSnapshot snapshot);
  /// Replaces the trust only, with the same effect on open connections.
  void trust(std::shared_ptr<const pki::TrustStore> clients);
  /// After a reload without any share: replaces the trust, and serves no file.
  void share_nothing(std::shared_ptr<const pki::TrustStore> clients);
  /// Accepts no new connections. Closes those without a request; the others close after their answer.
  void drain();
  [[nodiscard]] bool drained() const;
  /// Closes all connections at once. Waits for the running steps of workers.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::server
