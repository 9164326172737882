#include "server/files/file_contexts.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace usher::server {
namespace {

constexpr const char* kKeyTransportSuite = "AES128-GCM-SHA256";
constexpr std::uint16_t kKeyTransport = 0x009c;  // the same suite's number on the wire
constexpr std::string_view kSessionContext = "usher-file/1";
/// Suite numbers on the wire, §2.1: those of TLS 1.3, and those of TLS 1.2 with ECDHE.
constexpr std::uint16_t kBetter[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8};

FileHandshake& handshake_of(const SSL* connection) {
  return *static_cast<FileHandshake*>(SSL_get_ex_data(connection, 0));
}

SSL_SESSION* get_session(SSL* connection, const unsigned char* id, int size, int* copy) {
  *copy = 0;  // OpenSSL takes over our reference
  return handshake_of(connection).find_session(View(id, static_cast<std::size_t>(size))).release();
}

int new_session(SSL* connection, SSL_SESSION* session) {
  handshake_of(connection).keep_session(*session);
  return 0;  // we kept no reference to `session`
}

void set_sessions(SSL_CTX* context, Seconds life) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_timeout(context, static_cast<long>(life.count()));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_sess_set_get_cb(context, get_session);
  SSL_CTX_sess_set_new_cb(context, new_session);
  SSL_CTX_set_session_id_context(context, view_of(kSessionContext).data(), kSessionContext.size());
}

Result<> name_authorities(SSL_CTX* context, const pki::Chain& authorities) {
  for (const pki::Certificate& authority : authorities) {
    if (SSL_CTX_add_client_CA(context, authority.x509()) != 1) {
      return crypto::ossl_fail(Fault::local, "file stream: authorities");
    }
  }
  return {};
}

Result<tls::ContextPtr> make_one(const FileTlsSettings& settings) {
  USHER_TRY(tls::ContextPtr context,
            tls::make_context(tls::Side::server, [](SSL* connection, const tls::PeerCertificates& peer) {
              return handshake_of(connection).judge(peer);
            }));
  SSL_CTX_set_read_ahead(context.get(), 1);  // one read for each record; no other code needs bytes after it
  set_sessions(context.get(), settings.session_life);
  USHER_CHECK(name_authorities(context.get(), settings.authorities));
  return context;
}

Result<tls::ContextPtr> make_key_transport(const FileTlsSettings& settings) {
  const FileServerIdentity& own = *settings.key_transport;
  if (own.chain.empty() || own.key->public_key().kind() != crypto::KeyKind::rsa ||
      (own.chain.front().key_usage() & KU_KEY_ENCIPHERMENT) == 0) {
    return fail(Fault::bad_config, "file stream: key transport",
                "files.key_transport_certificate must be RSA and have the key usage keyEncipherment");
  }
  for (const FileServerIdentity& other : settings.identities) {
    if (other.chain.front().key_fingerprint() == own.chain.front().key_fingerprint()) {
      return fail(Fault::bad_config, "file stream: key transport",
                  "files.key_transport_key must be used for nothing else");
    }
  }
  USHER_TRY(tls::ContextPtr context, make_one(settings));
  if (SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kKeyTransportSuite) != 1) {
    return crypto::ossl_fail(Fault::local, "file stream: key transport");
  }
  USHER_CHECK(tls::add_identity(context.get(), own.chain, own.key->ossl()));
  return context;
}

}  // namespace

Result<std::shared_ptr<const FileContexts>> FileContexts::make(const FileTlsSettings& settings) {
  if (settings.identities.empty()) return fail(Fault::bad_config, "file stream", "there is no server certificate");
  std::shared_ptr<FileContexts> out(new FileContexts());
  USHER_TRY(out->usual_, make_one(settings));
  std::vector<crypto::KeyKind> kinds;
  for (const FileServerIdentity& own : settings.identities) {
    const crypto::KeyKind kind = own.key->public_key().kind();
    if (std::ranges::find(kinds, kind) != kinds.end()) {
      return fail(Fault::bad_config, "file stream", "two server certificates have keys of one kind");
    }
    kinds.push_back(kind);
    out->may_block_ = out->may_block_ || own.on_token;
    USHER_CHECK(tls::add_identity(out->usual_.get(), own.chain, own.key->ossl()));
  }
  if (settings.key_transport) {
    USHER_TRY(out->key_transport_, make_key_transport(settings));
    out->may_block_ = out->may_block_ || settings.key_transport->on_token;
    SSL_CTX_set_client_hello_cb(out->usual_.get(), choose, out.get());
  }
  return out;
}

/// Chooses key transport only if the client offers no better suite.
int FileContexts::choose(SSL* connection, int* /*alert*/, void* self) {
  const unsigned char* suites = nullptr;
  const std::size_t size = SSL_client_hello_get0_ciphers(connection, &suites);
  bool offered = false;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    const auto suite = static_cast<std::uint16_t>(suites[i] << 8 | suites[i + 1]);
    if (std::ranges::find(kBetter, suite) != std::end(kBetter)) return SSL_CLIENT_HELLO_SUCCESS;
    offered = offered || suite == kKeyTransport;
  }
  if (offered) SSL_set_SSL_CTX(connection, static_cast<const FileContexts*>(self)->key_transport_.get());
  return SSL_CLIENT_HELLO_SUCCESS;
}

Result<tls::ConnectionPtr> FileContexts::connect(FileHandshake& handshake) const {
  tls::ConnectionPtr connection(SSL_new(usual_.get()));
  if (!connection || SSL_set_ex_data(connection.get(), 0, &handshake) != 1) {
    return crypto::ossl_fail(Fault::local, "file stream: connection");
  }
  SSL_set_accept_state(connection.get());
  return connection;
}

std::string_view handshake_failure(unsigned long openssl_error) noexcept {
  const int reason = ERR_GET_REASON(openssl_error);
  if (ERR_GET_LIB(openssl_error) != ERR_LIB_SSL) return "protocol";
  if (reason > SSL_AD_REASON_OFFSET) return "alert";  // the peer sent one
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "no-certificate";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return "http";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
      return "version";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
      return "no-common-suite";
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "application-protocol";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "closed";
    default:
      return "protocol";
  }
}

}  // namespace usher::server
