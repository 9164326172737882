#include "server/files/file_sessions.h"

#include <openssl/err.h>

namespace usher::server {

void FileSessions::keep(const SSL_SESSION& session, const FileClient& client, Time now) {
  // These old functions of OpenSSL take a non-const pointer but change nothing.
  auto* once = const_cast<SSL_SESSION*>(&session);
  unsigned id_size = 0;
  const unsigned char* id = SSL_SESSION_get_id(once, &id_size);
  const int size = i2d_SSL_SESSION(once, nullptr);
  if (id_size == 0 || size <= 0 || !client.peer) return;
  crypto::Secret encoded(static_cast<std::size_t>(size));
  unsigned char* out = encoded.expose_for_writing().data();
  if (i2d_SSL_SESSION(once, &out) != size) return;
  Entry entry{
      .session = std::move(encoded), .client = client, .until = std::min(now + life_, client.peer->valid_until())};
  const std::scoped_lock lock(mutex_);
  entries_.put(Bytes(id, id + id_size), std::move(entry));
}

std::optional<FileSessions::Found> FileSessions::find(View id, Time now) {
  crypto::Secret encoded;
  FileClient client;
  {
    const std::scoped_lock lock(mutex_);
    const Bytes key = to_bytes(id);
    const Entry* entry = entries_.find(key);
    if (entry == nullptr) return std::nullopt;
    if (now >= entry->until) {
      entries_.erase(key);
      return std::nullopt;
    }
    encoded = entry->session.clone();
    client = entry->client;
  }
  const unsigned char* at = encoded.expose().data();
  tls::SessionPtr session(d2i_SSL_SESSION(nullptr, &at, static_cast<long>(encoded.size())));
  if (!session) {
    ERR_clear_error();
    return std::nullopt;
  }
  return Found{.session = std::move(session), .client = std::move(client)};
}

std::size_t FileSessions::size() {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace usher::server
