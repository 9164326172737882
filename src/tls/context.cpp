#include "tls/context.h"

#include <openssl/err.h>

#include "crypto/digest.h"

namespace usher::tls {
namespace {

constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:"
    "ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512:ed25519";

constexpr std::uint64_t kOptions = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE;
constexpr std::uint32_t kModes =
    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN;
// A Certificate message: the certificates, 3 bytes of length and 2 of extensions for each, and a reserve.
constexpr std::size_t kMaxCertificateMessage = pki::kMaxChain * (pki::kMaxCertificate + 8) + 64;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

/// kAlpn as a list with one entry, in the encoding of RFC 7301.
Bytes protocol_list() {
  static constexpr std::uint8_t kSize[] = {kAlpn.size()};
  return concat({kSize, view_of(kAlpn)});
}

int choose_protocol(SSL* /*connection*/, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* /*unused*/) {
  static const Bytes ours = protocol_list();
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours.data(), static_cast<unsigned>(ours.size()), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void free_verifier(void* /*parent*/, void* pointer, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
                   void* /*argp*/) {
  const std::unique_ptr<Verifier> owned(static_cast<Verifier*>(pointer));
}

/// The slot in which an SSL_CTX owns its verifier.
int verifier_slot() {
  static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_verifier);
  return slot;
}

int judge(X509_STORE_CTX* context, void* pointer) {
  const auto& verifier = *static_cast<const Verifier*>(pointer);
  auto* connection = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const PeerCertificates peer(X509_STORE_CTX_get0_cert(context), X509_STORE_CTX_get0_untrusted(context));
  const auto verdict = verifier(connection, peer);
  X509_STORE_CTX_set_error(context, static_cast<int>(verdict ? X509_V_OK : verify_code_of(verdict.error().fault)));
  return verdict ? 1 : 0;
}

bool configure(SSL_CTX* context, Side side) {
  SSL_CTX_set_options(context, kOptions | (side == Side::server ? SSL_OP_NO_TICKET : 0));
  SSL_CTX_set_mode(context, kModes);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_max_cert_list(context, kMaxCertificateMessage);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_max_early_data(context, 0);
  const Bytes protocols = protocol_list();
  if (side == Side::server) {
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  } else if (SSL_CTX_set_alpn_protos(context, protocols.data(), static_cast<unsigned>(protocols.size())) != 0) {
    return false;
  }
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_ciphersuites(context, kSuites13) == 1 && SSL_CTX_set_cipher_list(context, kSuites12) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 && SSL_CTX_set1_sigalgs_list(context, kSignatures) == 1;
}

}  // namespace

Hash256 PeerCertificates::digest() const {
  crypto::Hasher hasher(crypto::Digest::sha256);
  for (int i = 0; i < sk_X509_num(sent_); ++i) hasher.update(crypto::der_of<i2d_X509>(sk_X509_value(sent_, i)));
  return array_of<32>(hasher.value());
}

Result<pki::Chain> PeerCertificates::chain() const {
  if (leaf_ == nullptr || sk_X509_num(sent_) < 1) return fail(Fault::bad_certificate, "tls: no certificate");
  if (static_cast<std::size_t>(sk_X509_num(sent_)) > pki::kMaxChain) return fail(Fault::too_long, "tls: chain");
  pki::Chain chain;
  for (int i = 0; i < sk_X509_num(sent_); ++i) {
    USHER_TRY(pki::Certificate certificate, pki::Certificate::from_x509(sk_X509_value(sent_, i)));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

Result<ContextPtr> make_context(Side side, Verifier verifier) {
  ContextPtr context(SSL_CTX_new(side == Side::server ? TLS_server_method() : TLS_client_method()));
  if (!context || !configure(context.get(), side)) return crypto::ossl_fail(Fault::local, "tls: context");
  auto owned = std::make_unique<Verifier>(std::move(verifier));
  if (SSL_CTX_set_ex_data(context.get(), verifier_slot(), owned.get()) != 1) {
    return crypto::ossl_fail(Fault::local, "tls: context");
  }
  SSL_CTX_set_cert_verify_callback(context.get(), judge, owned.release());
  return context;
}

Result<> add_identity(SSL_CTX* context, const pki::Chain& chain, EVP_PKEY* key) {
  if (chain.empty() || key == nullptr) return fail(Fault::bad_key, "tls: identity");
  const std::unique_ptr<STACK_OF(X509), FreeStack> rest(sk_X509_new_null());
  if (!rest) return crypto::ossl_fail(Fault::local, "tls: identity");
  for (const pki::Certificate& authority : std::span(chain).subspan(1)) {
    sk_X509_push(rest.get(), authority.x509());
  }
  if (SSL_CTX_use_cert_and_key(context, chain.front().x509(), key, rest.get(), 1) != 1) {
    return crypto::ossl_fail(Fault::bad_key, "tls: identity", "the key does not belong to the certificate");
  }
  return {};
}

Result<> check_established(const SSL* connection) {
  if (SSL_version(connection) == TLS1_2_VERSION) {
    // SSL_get_extms_support is an old macro and takes no const pointer.
    auto* once = const_cast<SSL*>(connection);
    if (SSL_get_extms_support(once) != 1) return fail(Fault::unsupported, "tls: extended master secret");
  }
  if (SSL_is_server(connection) == 1) return {};
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection, &protocol, &size);
  if (protocol == nullptr || text_of(View(protocol, size)) != kAlpn) return fail(Fault::not_usher, "tls: protocol");
  return {};
}

long verify_code_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::certificate_expired:
    case Fault::certificate_not_yet_valid:
      return X509_V_ERR_CERT_HAS_EXPIRED;
    case Fault::revoked:
      return X509_V_ERR_CERT_REVOKED;
    case Fault::untrusted:
      return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case Fault::revocation_unknown:
    case Fault::crl_expired:
      return X509_V_ERR_DIFFERENT_CRL_SCOPE;  // certificate_unknown: OpenSSL's alert for a code without its own alert
    case Fault::local:
      return X509_V_ERR_UNSPECIFIED;
    default:
      return X509_V_ERR_CERT_REJECTED;
  }
}

}  // namespace usher::tls
