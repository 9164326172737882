// net/file_stream: files over mutual TLS, one request a connection.  Spec: filestream.md.
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "net/endpoint.h"
#include "net/file_contexts.h"
#include "net/file_shares.h"
#include "net/log.h"
#include "net/metrics.h"

namespace usher::net {

/// §1.
struct FileLimits {
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 1'024;  // IPv6: of one /64
  Milliseconds handshake_time{10'000};          // from the accepted connection
  Milliseconds line_time{10'000};               // from the end of the handshake
  Milliseconds stall_time{60'000};              // without the client taking a byte of an answer
  std::size_t sessions = 10'000;                // that can be taken up again
  Seconds session_life{3'600};
};

struct FileStreamOptions {
  std::vector<Endpoint> listen{};
  unsigned threads = 0;  // event loops; 0: one for each processor
  FileLimits limits{};
  bool kernel_tls = true;  // let the kernel make records, where it and OpenSSL can
};

/// What changes with a reload, as one.
struct FileSnapshot {
  std::shared_ptr<const identity::TrustStore> clients;
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

  /// For new connections; those that are open end where their client would no longer be taken.
  void reload(FileSnapshot snapshot);
  /// By this trust from here on, everything else as it is.
  void trust(std::shared_ptr<const identity::TrustStore> clients);
  /// After a reload that shares nothing any more: by this trust, and with no file.
  void share_nothing(std::shared_ptr<const identity::TrustStore> clients);
  /// No new connections; those without a request are closed, the others end with their answer.
  void drain();
  [[nodiscard]] bool drained() const;
  /// At once.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::net
