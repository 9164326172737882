// filestream/tls: the client certificates, trust anchors and TLS settings of the load.  Spec: filestream.md §2.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/ossl.h"

namespace usher::bench {

using SslCtxPtr = crypto::Ossl<SSL_CTX, SSL_CTX_free>;
using CertificatePtr = crypto::Ossl<X509, X509_free>;
using SslPtr = crypto::Ossl<SSL, SSL_free>;

struct TlsOptions {
  std::vector<std::filesystem::path> certificates;  // PEM, of clients that take turns; at least one
  std::filesystem::path key;                        // the private key of all of them, PEM, not encrypted
  std::filesystem::path anchors;                    // the server's chain must lead to one of these
  std::string version;                              // "1.2" or "1.3"; no other version is offered
  std::string suite;                                // OpenSSL's name; no other suite is offered
  std::string alpn;                                 // empty: no ALPN is offered
};

/// Makes connections that verify the server, prefer X25519, offer the one suite, and never resume.
class Clients {
 public:
  /// Errors: bad_usage (version, suite, protocol), not_found (a file that cannot be used), local.
  [[nodiscard]] static Result<Clients> make(const TlsOptions& options);

  /// The connection with this number, counted from 0, with the certificate whose turn it is; null if memory runs out.
  [[nodiscard]] SslPtr connection(std::size_t number) const;

 private:
  Clients(SslCtxPtr context, std::vector<CertificatePtr> certificates)
      : context_(std::move(context)), certificates_(std::move(certificates)) {}

  SslCtxPtr context_;
  std::vector<CertificatePtr> certificates_;
};

/// OpenSSL's reason for the last failure; empties its error queue.
[[nodiscard]] std::string last_reason();

}  // namespace usher::bench
