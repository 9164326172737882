// client/files/file_stream: the client of the file stream; opens one connection for each request line.
// Spec: filestream.md.
#pragma once

#include <memory>

#include "client/engine/dial.h"
#include "media/source.h"
#include "pki/trust_store.h"
#include "wire/file_request.h"

namespace usher::client {

struct FileStreamOptions {
  Endpoint server{};
  pki::Chain chain{};                               // of this installation, leaf first
  std::shared_ptr<const crypto::PrivateKey> key{};  // its key, in memory or on a token
  std::shared_ptr<const pki::TrustStore> trust{};   // of servers
  pki::ServerName name;                             // the name that the server's certificate must have
  Milliseconds connect_deadline{10'000};            // for each address
  Milliseconds handshake_deadline{30'000};          // long, since a token signs slowly
  Milliseconds first_deadline{600'000};             // until the first byte: the server may compute a digest
  Milliseconds stall_deadline{60'000};              // between bytes
};

/// Not thread-safe. Resumes the TLS session from one request to the next.
class FileStream {
 public:
  /// Does not connect yet. `clock` is borrowed. Errors: bad_key (key and chain do not match); local.
  [[nodiscard]] static Result<FileStream> create(FileStreamOptions options, const Clock& clock);
  FileStream(FileStream&&) noexcept;
  FileStream& operator=(FileStream&&) noexcept;
  ~FileStream();

  /// Sends the request, and writes the answer to `sink` in pieces. Success means that the server's close_notify arrived
  /// after the last byte (§4.1). Without it the answer in the sink is incomplete.
  /// Errors: unreachable; for the server's certificate, those of TrustStore::verify; for this installation's
  /// certificate, according to the server's alert: bad_certificate, certificate_expired, revoked, untrusted,
  /// revocation_unknown; no_common_suite, unsupported, not_usher; file_refused, the server closed without a byte;
  /// interrupted, the answer is incomplete; record_refused; cancelled; bad_usage, a name that §3.2 does not allow; the
  /// sink's; the token's.
  [[nodiscard]] Result<> ask(const wire::FileRequest& request, media::Sink& sink, const Stop& stop);

  [[nodiscard]] const FileStreamOptions& options() const noexcept;

 private:
  struct State;
  explicit FileStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace usher::client
