// support/odd: certificates and lists that OpenSSL makes on request and no authority of ours would.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/ossl.h"
#include "support/pki.h"

namespace usher::test {

/// A leaf for clients with these two extensions, as openssl.cnf(5) writes them; empty: without.
inline Identity odd_leaf(const Authority& authority, const std::string& basic_constraints,
                         const std::string& key_usage) {
  crypto::PrivateKey key = new_key();
  const crypto::Ossl<X509, X509_free> leaf(X509_new());
  const crypto::Ossl<X509_NAME, X509_NAME_free> name(X509_NAME_new());
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority.certificate.x509(), leaf.get(), nullptr, nullptr, 0);
  bool ok = X509_set_version(leaf.get(), X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(leaf.get()), 4711) == 1 &&
            X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8, view_of("odd").data(), 3, -1, 0) == 1 &&
            X509_set_subject_name(leaf.get(), name.get()) == 1 &&
            X509_set_issuer_name(leaf.get(), X509_get_subject_name(authority.certificate.x509())) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(leaf.get()), unix_seconds(kNow - kDay)) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(leaf.get()), unix_seconds(kNow + kDay)) != nullptr &&
            X509_set_pubkey(leaf.get(), key.ossl()) == 1;
  const std::string role = std::string("clientAuth,") + std::string(pki::oid_of(pki::Role::client));
  for (const auto& [kind, value] :
       {std::pair(NID_basic_constraints, basic_constraints), std::pair(NID_key_usage, key_usage),
        std::pair(NID_ext_key_usage, role), std::pair(NID_subject_key_identifier, std::string("hash")),
        std::pair(NID_authority_key_identifier, std::string("keyid"))}) {
    if (value.empty()) continue;
    const crypto::Ossl<X509_EXTENSION, X509_EXTENSION_free> made(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    ok = ok && made && X509_add_ext(leaf.get(), made.get(), -1) == 1;
  }
  if (!ok || X509_sign(leaf.get(), authority.key.ossl(), EVP_sha256()) <= 0) throw std::runtime_error("no odd leaf");
  return {must(pki::Certificate::from_x509(leaf.get())), std::move(key)};
}

/// `model`, with this issuing distribution point, as openssl.cnf(5) writes it: "critical,onlyuser:TRUE".
inline pki::Crl with_scope(const Authority& authority, const pki::Crl& model, const std::string& point) {
  const unsigned char* at = model.der().data();
  const crypto::Ossl<X509_CRL, X509_CRL_free> list(d2i_X509_CRL(nullptr, &at, static_cast<long>(model.der().size())));
  const crypto::Ossl<X509_EXTENSION, X509_EXTENSION_free> made(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_issuing_distribution_point, point.c_str()));
  if (!list || !made || X509_CRL_add_ext(list.get(), made.get(), -1) != 1 ||
      X509_CRL_sign(list.get(), authority.key.ossl(), EVP_sha256()) <= 0) {
    throw std::runtime_error("no such scope");
  }
  return must(pki::Crl::from_ossl(list.get()));
}

}  // namespace usher::test
