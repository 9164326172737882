// support/ocsp: a responder of our own, made with OpenSSL, that can give any answer.
#pragma once

#include <openssl/ocsp.h>

#include "pki/x509.h"
#include "support/pki.h"

namespace usher::test {

inline constexpr const char* kOcspSigning = "1.3.6.1.5.5.7.3.9";

struct OcspSays {
  int status = V_OCSP_CERTSTATUS_GOOD;
  Time this_update = kNow - std::chrono::hours(1);
  std::optional<Time> next_update = kNow + std::chrono::hours(24);
  const EVP_MD* digest = EVP_sha256();
  const EVP_MD* id_digest = EVP_sha1();
  bool critical_extension = false;
};

using AsnTime = crypto::Ossl<ASN1_TIME, ASN1_TIME_free>;
inline AsnTime asn_time(Time time) { return AsnTime(ASN1_TIME_adj(nullptr, unix_seconds(time), 0, 0)); }

inline void must_be(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL refused");
}

/// About `certificate` of `issuer`, signed by `signer`, whose certificate comes along unless it is the issuer.
inline Bytes ocsp_response(const pki::Certificate& certificate, const pki::Certificate& issuer,
                           const pki::Certificate& signer, const crypto::PrivateKey& key, const OcspSays& says = {}) {
  const crypto::Ossl<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_BASICRESP_new());
  const crypto::Ossl<OCSP_CERTID, OCSP_CERTID_free> id(
      OCSP_cert_to_id(says.id_digest, certificate.x509(), issuer.x509()));
  const AsnTime from = asn_time(says.this_update);
  const AsnTime until = says.next_update ? asn_time(*says.next_update) : nullptr;
  const AsnTime revoked = says.status == V_OCSP_CERTSTATUS_REVOKED ? asn_time(says.this_update) : nullptr;
  must_be(OCSP_basic_add1_status(basic.get(), id.get(), says.status, 0, revoked.get(), from.get(), until.get()) !=
          nullptr);
  if (says.critical_extension) {
    const crypto::Ossl<ASN1_NULL, ASN1_NULL_free> nothing(ASN1_NULL_new());
    must_be(OCSP_BASICRESP_add1_ext_i2d(basic.get(), NID_id_pkix_OCSP_noCheck, nothing.get(), 1, X509V3_ADD_DEFAULT) ==
            1);
  }
  const unsigned long flags = signer == issuer ? OCSP_NOCERTS : 0;
  must_be(OCSP_basic_sign(basic.get(), signer.x509(), key.ossl(), says.digest, nullptr, flags) == 1);
  const crypto::Ossl<OCSP_RESPONSE, OCSP_RESPONSE_free> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  return crypto::der_of<i2d_OCSP_RESPONSE>(response.get());
}

/// A responder that `authority` certified. `no_check`: with id-pkix-ocsp-nocheck.
inline Identity ocsp_delegate(const Authority& authority, bool no_check = true, pki::LeafRequest request = {}) {
  if (request.more_eku.empty()) request.more_eku = {kOcspSigning};
  Identity delegate = authority.leaf(std::move(request));
  if (!no_check) return delegate;
  const pki::X509Ptr copy(X509_dup(delegate.certificate.x509()));
  const crypto::Ossl<ASN1_NULL, ASN1_NULL_free> nothing(ASN1_NULL_new());
  must_be(X509_add1_ext_i2d(copy.get(), NID_id_pkix_OCSP_noCheck, nothing.get(), 0, X509V3_ADD_DEFAULT) == 1);
  must_be(X509_sign(copy.get(), authority.key.ossl(), EVP_sha256()) > 0);
  return {must(pki::Certificate::from_x509(copy.get())), std::move(delegate.key)};
}

}  // namespace usher::test
