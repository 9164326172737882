// filestream/tls: as whom the load speaks to a server, and with what.  Spec: filestream.md §2.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <string>

#include "crypto/ossl.h"

namespace usher::bench {

using SslCtxPtr = crypto::Ossl<SSL_CTX, SSL_CTX_free>;
using SslPtr = crypto::Ossl<SSL, SSL_free>;

struct TlsOptions {
  std::filesystem::path certificate;  // PEM chain of the client
  std::filesystem::path key;          // its private key, PEM, not encrypted: made for one run
  std::filesystem::path anchors;      // what the server's chain must lead to
  std::string version;                // "1.2" or "1.3", and no other
  std::string suite;                  // OpenSSL's name, and no other
  std::string alpn;                   // empty: none is offered
};

/// A client's context that verifies the server, prefers X25519, offers the one suite, and never resumes.
/// Errors: bad_usage (version, suite, protocol), not_found (a file that cannot be used), local.
[[nodiscard]] Result<SslCtxPtr> make_context(const TlsOptions& options);

/// What OpenSSL says about the failure that it reported last; empties its queue.
[[nodiscard]] std::string last_reason();

}  // namespace usher::bench
