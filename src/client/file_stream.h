// client/file_stream: asks a server of the file stream, one connection for each request line.  Spec: filestream.md.
#pragma once

#include <memory>

#include "client/dial.h"
#include "identity/trust.h"
#include "media/source.h"
#include "wire/file_request.h"

namespace usher::client {

struct FileStreamOptions {
  Endpoint server{};
  identity::Chain chain{};                              // of this installation, leaf first
  std::shared_ptr<const crypto::PrivateKey> key{};      // its key, in memory or on a token
  std::shared_ptr<const identity::TrustStore> trust{};  // of servers
  identity::ServerName name;                            // what the server's certificate must have
  Milliseconds connect_deadline{10'000};                // of each address
  Milliseconds handshake_deadline{30'000};              // a token takes its time
  Milliseconds first_deadline{600'000};                 // to the answer's first byte: the server may compute a digest
  Milliseconds stall_deadline{60'000};                  // from byte to byte
};

/// Not thread-safe. The TLS session is resumed from one request to the next.
class FileStream {
 public:
  /// Connects nothing yet. `clock` is borrowed. Errors: bad_key (key and chain do not belong together); local.
  [[nodiscard]] static Result<FileStream> create(FileStreamOptions options, const Clock& clock);
  FileStream(FileStream&&) noexcept;
  FileStream& operator=(FileStream&&) noexcept;
  ~FileStream();

  /// Sends the request, and gives the answer to `sink` in pieces. Success means that the server's close_notify came
  /// after the last byte (§4.1); without it what the sink has got is a beginning of something.
  /// Errors: unreachable; the server's certificate (those of TrustStore::verify); this installation's certificate as
  /// the server's alert has it: bad_certificate, certificate_expired, revoked, untrusted, revocation_unknown;
  /// no_common_suite, unsupported, not_usher; file_refused, closed without a byte; interrupted, the answer was cut;
  /// record_refused; cancelled; bad_usage, a name that §3.2 does not allow; the sink's; the token's.
  [[nodiscard]] Result<> ask(const wire::FileRequest& request, media::Sink& sink, const Stop& stop);

  [[nodiscard]] const FileStreamOptions& options() const noexcept;

 private:
  struct State;
  explicit FileStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace usher::client
