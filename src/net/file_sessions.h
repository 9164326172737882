// net/file_sessions: TLS sessions that can be taken up again, each with the peer that it belongs to.
// Spec: filestream.md §2.3.
#pragma once

#include <mutex>
#include <optional>

#include "base/lru.h"
#include "crypto/secret.h"
#include "identity/verify_cache.h"
#include "tls/context.h"

namespace usher::net {

/// Who a connection's client is: verified within its handshake, or within that of an earlier one and again since.
struct FileClient {
  identity::VerifyCache::PeerPtr peer;
  Hash256 digest{};  // of the chain, as VerifyCache wants it
};

/// Thread-safe.
class FileSessions {
 public:
  FileSessions(std::size_t max_entries, Seconds life) : life_(life), entries_(max_entries) {}

  /// At most for `life`, and no longer than the client's path is valid.
  void keep(const SSL_SESSION& session, const FileClient& client, Time now);
  struct Found {
    tls::SessionPtr session;
    FileClient client;  // to be verified again by the caller
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

}  // namespace usher::net
