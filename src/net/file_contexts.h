// net/file_contexts: the TLS contexts of the file stream's server.  Spec: filestream.md §2.
#pragma once

#include <optional>
#include <vector>

#include "identity/trust.h"
#include "tls/context.h"

namespace usher::net {

/// What the contexts ask of a connection within its handshake; set with set_handshake().
class FileHandshake {
 public:
  virtual ~FileHandshake() = default;
  [[nodiscard]] virtual Result<> judge(const tls::PeerCertificates& peer) = 0;
  /// A session that may be taken up now, or none (§2.3).
  [[nodiscard]] virtual tls::SessionPtr find_session(View id) = 0;
  virtual void keep_session(const SSL_SESSION& session) = 0;
};

struct FileServerIdentity {
  identity::Chain chain;
  std::shared_ptr<const crypto::PrivateKey> key;
  bool on_token = false;  // the key: its operations may take long, or never end
};

struct FileTlsSettings {
  std::vector<FileServerIdentity> identities{};       // 1, or an RSA and a P-256 one
  std::optional<FileServerIdentity> key_transport{};  // §2.1: AES128-GCM-SHA256, with an RSA certificate for it alone
  identity::Chain authorities{};                      // whose clients are taken, told to them
  Seconds session_life{3600};
};

/// Immutable. A reload makes new ones; connections keep theirs.
class FileContexts {
 public:
  /// Errors: bad_config (no identity, two of a kind; a key transport certificate that is not for that), bad_key, local.
  [[nodiscard]] static Result<std::shared_ptr<const FileContexts>> make(const FileTlsSettings& settings);

  /// A connection that asks `handshake`, which must outlive it. Errors: local.
  [[nodiscard]] Result<tls::ConnectionPtr> connect(FileHandshake& handshake) const;
  /// Whether a handshake may wait for a token: not for an event loop.
  [[nodiscard]] bool may_block() const noexcept { return may_block_; }
  [[nodiscard]] bool has_key_transport() const noexcept { return key_transport_ != nullptr; }

 private:
  FileContexts() = default;
  static int choose(SSL* connection, int* alert, void* self);

  tls::ContextPtr usual_;
  tls::ContextPtr key_transport_;
  bool may_block_ = false;
};

/// Why a handshake failed, of a closed set, for log and metric: "no-certificate", "http", "version", …
[[nodiscard]] std::string_view handshake_failure(unsigned long openssl_error) noexcept;

}  // namespace usher::net
