// server/files/file_contexts: the TLS contexts of the file stream's server.  Spec: filestream.md §2.
#pragma once

#include <optional>
#include <vector>

#include "pki/trust_store.h"
#include "tls/context.h"

namespace usher::server {

/// Callbacks that the contexts make during a connection's handshake; passed to FileContexts::connect().
class FileHandshake {
 public:
  virtual ~FileHandshake() = default;
  [[nodiscard]] virtual Result<> judge(const tls::PeerCertificates& peer) = 0;
  /// A session that may be resumed now, or nullptr (§2.3).
  [[nodiscard]] virtual tls::SessionPtr find_session(View id) = 0;
  virtual void keep_session(const SSL_SESSION& session) = 0;
};

struct FileServerIdentity {
  pki::Chain chain;
  std::shared_ptr<const crypto::PrivateKey> key;
  bool on_token = false;  // the key is on a token: its operations may take long or never end
};

struct FileTlsSettings {
  std::vector<FileServerIdentity> identities{};       // 1, or 2: one RSA and one P-256
  std::optional<FileServerIdentity> key_transport{};  // §2.1: AES128-GCM-SHA256, with an RSA certificate only for this
  pki::Chain authorities{};                           // of accepted clients; sent to clients in the handshake
  Seconds session_life{3600};
};

/// Immutable. A reload makes a new object; connections keep the one that they began with.
class FileContexts {
 public:
  /// Errors: bad_config (no identity; two identities with keys of one kind; a key transport certificate that must not
  /// be used for that), bad_key, local.
  [[nodiscard]] static Result<std::shared_ptr<const FileContexts>> make(const FileTlsSettings& settings);

  /// A connection that calls `handshake`, which must outlive it. Errors: local.
  [[nodiscard]] Result<tls::ConnectionPtr> connect(FileHandshake& handshake) const;
  /// True if a handshake may wait for a token. Then it must not run on an event loop.
  [[nodiscard]] bool may_block() const noexcept { return may_block_; }
  [[nodiscard]] bool has_key_transport() const noexcept { return key_transport_ != nullptr; }

 private:
  FileContexts() = default;
  static int choose(SSL* connection, int* alert, void* self);

  tls::ContextPtr usual_;
  tls::ContextPtr key_transport_;
  bool may_block_ = false;
};

/// Why a handshake failed, for logs and metrics. One of a fixed set: "no-certificate", "http", "version", …
[[nodiscard]] std::string_view handshake_failure(unsigned long openssl_error) noexcept;

}  // namespace usher::server
