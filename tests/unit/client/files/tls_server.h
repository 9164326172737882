// A server of the file stream that misbehaves as a test requires: our TLS settings, and no rule of the protocol.
#pragma once

#include <mutex>
#include <optional>

#include "base/no_broken_pipe.h"
#include "client/files/file_stream.h"
#include "support/pki.h"
#include "tls/context.h"
#include "unit/client/tiny_server.h"

namespace usher::test {

/// One connection, after its handshake.
class TlsPeer {
 public:
  TlsPeer(SSL* connection, int socket) : connection_(connection), socket_(socket) {}
  void send(View bytes) {
    std::size_t sent = 0;
    while (!bytes.empty() && SSL_write_ex(connection_, bytes.data(), bytes.size(), &sent) == 1) {
      bytes = bytes.subspan(sent);
    }
  }
  void send(std::string_view text) { send(view_of(text)); }
  void send_raw(std::string_view text) { send_text(socket_, text); }
  /// close_notify: what makes an answer complete.
  void finish() { SSL_shutdown(connection_); }
  /// Waits until the client has closed.
  void wait_for_end() {
    char byte = 0;
    SSL_read(connection_, &byte, 1);
  }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(connection_) == 1; }

 private:
  SSL* connection_;
  int socket_;
};

struct TlsServerOptions {
  int version = TLS1_3_VERSION;
  bool alpn = true;
  /// Judges the client's certificate.
  std::function<Result<>()> verdict = [] { return Result<>{}; };
};

class TlsServer {
 public:
  /// `answer` gets the request's line without its end.
  using Answer = std::function<void(TlsPeer&, const std::string& line)>;
  TlsServer(const Identity& own, Answer answer, TlsServerOptions options = {})
      : options_(std::move(options)),
        answer_(std::move(answer)),
        context_(must(tls::make_context(tls::Side::server,
                                        [this](SSL*, const tls::PeerCertificates&) { return options_.verdict(); }))) {
    must(tls::add_identity(context_.get(), {own.certificate}, own.key.ossl()));
    SSL_CTX_set_max_proto_version(context_.get(), options_.version);
    constexpr std::array<unsigned char, 4> kId{'t', 'e', 's', 't'};
    SSL_CTX_set_session_id_context(context_.get(), kId.data(), kId.size());
    if (!options_.alpn) SSL_CTX_set_alpn_select_cb(context_.get(), nullptr, nullptr);
    server_.emplace([this](int socket) { serve(socket); });
  }

  [[nodiscard]] Endpoint endpoint() const { return {"127.0.0.1", server_->port()}; }
  /// The lines that arrived, in their order.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock guard(lock_);
    return lines_;
  }

 private:
  void serve(int socket) {
    const NoBrokenPipe quiet;
    const tls::ConnectionPtr connection(SSL_new(context_.get()));
    SSL_set_fd(connection.get(), socket);
    if (SSL_accept(connection.get()) != 1) return;
    std::string line;
    for (char byte = 0; !line.ends_with("\r\n"); line += byte) {
      if (SSL_read(connection.get(), &byte, 1) != 1) return;
    }
    line.resize(line.size() - 2);
    {
      const std::scoped_lock guard(lock_);
      lines_.push_back(line);
    }
    TlsPeer peer(connection.get(), socket);
    answer_(peer, line);
  }

  TlsServerOptions options_;
  Answer answer_;
  tls::ContextPtr context_;
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
  std::optional<TinyServer> server_;
};

/// Authorities, an installation, and what it needs to speak to a server.
struct FileWorld {
  Authority root = Authority::root();
  Identity server = root.leaf(with_address(pki::Role::server));
  Identity installation = root.leaf(pki::Role::client);
  ManualClock clock{kNow};

  static pki::LeafRequest with_address(pki::Role role) {
    pki::LeafRequest request{.role = role};
    if (role == pki::Role::server) request.ip_addresses = {must(pki::IpAddress::from_text("127.0.0.1"))};
    return request;
  }
  [[nodiscard]] client::FileStreamOptions options(Endpoint endpoint,
                                                  const std::vector<pki::Certificate>& revoked = {}) const {
    return {.server = std::move(endpoint),
            .chain = {installation.certificate},
            .key = std::make_shared<crypto::PrivateKey>(installation.key),
            .trust = trust(pki::Role::server, root, {root.crl(1, revoked, {}, kNow - kDay, kNow + 900 * kDay)}),
            .name = must(pki::ServerName::from_host("127.0.0.1"))};
  }
  [[nodiscard]] client::FileStream stream(client::FileStreamOptions options) const {
    return must(client::FileStream::create(std::move(options), clock));
  }
  [[nodiscard]] client::FileStream stream(const TlsServer& to) const { return stream(options(to.endpoint())); }
};

}  // namespace usher::test
