// tls/context: OpenSSL's TLS with the file stream's settings, for server and client.  Spec: filestream.md §2.
//
// A separate layer below server and client: both use TLS, and neither may include the other.
#pragma once

#include <functional>
#include <memory>

#include <openssl/ssl.h>

#include "crypto/ossl.h"
#include "pki/certificate.h"

namespace usher::tls {

using ContextPtr = crypto::Ossl<SSL_CTX, SSL_CTX_free>;
using ConnectionPtr = crypto::Ossl<SSL, SSL_free>;
using SessionPtr = crypto::Ossl<SSL_SESSION, SSL_SESSION_free>;

inline constexpr std::string_view kAlpn = "usher-file/1";  // §2.4

enum class Side : std::uint8_t { server, client };

/// The certificates that a peer sent, as OpenSSL parsed them. Borrowed: valid inside a Verifier only.
class PeerCertificates {
 public:
  PeerCertificates(const X509* leaf, const STACK_OF(X509) * sent) : leaf_(leaf), sent_(sent) {}
  /// SHA-256 of the concatenated DER of the certificates. Cheap, for a cache of verification results.
  [[nodiscard]] Hash256 digest() const;
  /// Leaf first. Errors: too_long (more than pki::kMaxChain, or a long one), malformed, bad_certificate (no
  /// certificate).
  [[nodiscard]] Result<pki::Chain> chain() const;

 private:
  const X509* leaf_;
  const STACK_OF(X509) * sent_;
};

/// Verifies the peer within the handshake. An error ends the handshake with the alert of §2.2. OpenSSL's own
/// verification does not run. Called by the thread that runs the handshake.
using Verifier = std::function<Result<>(SSL* connection, const PeerCertificates& peer)>;

/// Sets versions, suites, groups, signature algorithms, no compression, no renegotiation, no tickets at a server, small
/// buffers, ALPN (§2.1, §2.4). The other side must send a certificate, and `verifier` verifies it. The context owns the
/// verifier. Errors: local.
[[nodiscard]] Result<ContextPtr> make_context(Side side, Verifier verifier);

/// The context then sends `chain` (leaf first) and signs with `key`, which may be on a token. A server can have one RSA
/// and one P-256 identity at the same time. Errors: bad_key (they do not belong together).
[[nodiscard]] Result<> add_identity(SSL_CTX* context, const pki::Chain& chain, EVP_PKEY* key);

/// Call it after the handshake. Refuses what OpenSSL does not refuse by itself: TLS 1.2 without extended master secret;
/// at a client, another protocol than kAlpn. Errors: unsupported; not_usher.
[[nodiscard]] Result<> check_established(const SSL* connection);

/// The X509_V_ERR_… that OpenSSL turns into §2.2's alert for this fault.
[[nodiscard]] long verify_code_of(Fault fault) noexcept;

}  // namespace usher::tls
