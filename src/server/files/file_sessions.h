// server/files/file_sessions: a cache of TLS sessions that can be resumed, each with its verified client.
// Spec: filestream.md §2.3.
#pragma once

#include <mutex>
#include <optional>

#include "base/lru.h"
#include "crypto/secret.h"
#include "pki/verify_cache.h"
#include "tls/context.h"

namespace usher::server {

/// The verified client of a connection. It was verified in this connection's handshake, or in an earlier one and then
/// again when the session was resumed.
struct FileClient {
  pki::VerifyCache::PeerPtr peer;
  Hash256 digest{};  // of the chain, as VerifyCache::verify takes it
};

/// Thread-safe.
class FileSessions {
 public:
  FileSessions(std::size_t max_entries, Seconds life) : life_(life), entries_(max_entries) {}

  /// Keeps the session for at most `life`, and no longer than the client's path is valid.
  void keep(const SSL_SESSION& session, const FileClient& client, Time now);
  struct Found {
    tls::SessionPtr session;
    FileClient client;  // the caller must verify it again
  };
  [[nodiscard]] std::optional<Found> find(View id, Time now);
  [[nodiscard]] std::size_t size();

 private:
  struct Entry {
    crypto::Secret session;  // as OpenSSL encodes it, with its master secret
    FileClient client;
    Time until;
  };
  Seconds life_;
  std::mutex mutex_;
  LruMap<Bytes, Entry> entries_;
};

}  // namespace usher::server
