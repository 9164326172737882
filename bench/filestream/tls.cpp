#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

namespace usher::bench {
namespace {

constexpr const char* kGroups = "X25519:P-256";  // TLS 1.2 needs the curve of the certificate here, too
constexpr std::size_t kReadBuffer = 64 << 10;    // several records per read: the load must not be the bottleneck

Result<> choose_suite(SSL_CTX* context, const TlsOptions& options) {
  const bool newest = options.version == "1.3";
  if (!newest && options.version != "1.2")
    return fail(Fault::bad_usage, "tls", "--tls is 1.2 or 1.3, not " + options.version);
  const int version = newest ? TLS1_3_VERSION : TLS1_2_VERSION;
  const bool chosen = newest ? SSL_CTX_set_ciphersuites(context, options.suite.c_str()) == 1
                             : SSL_CTX_set_cipher_list(context, options.suite.c_str()) == 1;
  if (!chosen || SSL_CTX_set_min_proto_version(context, version) != 1 ||
      SSL_CTX_set_max_proto_version(context, version) != 1 || SSL_CTX_set1_groups_list(context, kGroups) != 1) {
    return crypto::ossl_fail(Fault::bad_usage, "tls", "no such suite: " + options.suite);
  }
  return {};
}

Result<> choose_anchors(SSL_CTX* context, const TlsOptions& options) {
  if (SSL_CTX_load_verify_file(context, options.anchors.c_str()) != 1)
    return crypto::ossl_fail(Fault::not_found, "tls", options.anchors.string());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context), "127.0.0.1") != 1)
    return crypto::ossl_fail(Fault::local, "tls");
  return {};
}

Result<> choose_alpn(SSL_CTX* context, const std::string& protocol) {
  if (protocol.empty()) return {};
  if (protocol.size() > 255) return fail(Fault::bad_usage, "tls", "--alpn is longer than 255 bytes");
  Bytes offered{static_cast<std::uint8_t>(protocol.size())};
  append(offered, view_of(protocol));
  if (SSL_CTX_set_alpn_protos(context, offered.data(), static_cast<unsigned>(offered.size())) != 0)
    return crypto::ossl_fail(Fault::local, "tls");
  return {};
}

Result<std::vector<CertificatePtr>> read_certificates(const std::vector<std::filesystem::path>& files) {
  std::vector<CertificatePtr> certificates;
  for (const auto& file : files) {
    const crypto::BioPtr bio(BIO_new_file(file.c_str(), "r"));
    CertificatePtr certificate(bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) return crypto::ossl_fail(Fault::not_found, "tls", file.string());
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace

Result<Clients> Clients::make(const TlsOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return crypto::ossl_fail(Fault::local, "tls");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadBuffer);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  USHER_CHECK(choose_suite(context.get(), options));
  USHER_CHECK(choose_anchors(context.get(), options));
  USHER_CHECK(choose_alpn(context.get(), options.alpn));
  USHER_TRY(auto certificates, read_certificates(options.certificates));
  if (certificates.empty()) return fail(Fault::bad_usage, "tls", "there is no certificate");
  if (SSL_CTX_use_certificate(context.get(), certificates.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return crypto::ossl_fail(Fault::not_found, "tls", options.key.string());
  return Clients(std::move(context), std::move(certificates));
}

SslPtr Clients::connection(std::size_t number) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl == nullptr || certificates_.size() == 1) return ssl;
  if (SSL_use_certificate(ssl.get(), certificates_[number % certificates_.size()].get()) != 1) return nullptr;
  return ssl;
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason == nullptr ? "no reason given" : reason;
  ERR_clear_error();
  return text;
}

}  // namespace usher::bench
