#include "pki/ocsp.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "pki/x509.h"

namespace usher::pki {
namespace {

using RequestPtr = Ossl<OCSP_REQUEST, OCSP_REQUEST_free>;
using ResponsePtr = Ossl<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicPtr = Ossl<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using CertIdPtr = Ossl<OCSP_CERTID, OCSP_CERTID_free>;
using StorePtr = Ossl<X509_STORE, X509_STORE_free>;

constexpr std::string_view kOcspSigning = "1.3.6.1.5.5.7.3.9";
constexpr int kMaxSingles = 16;                 // answers in one response
constexpr Milliseconds kWithoutEnd{3'600'000};  // for which an answer without nextUpdate is valid

std::unexpected<Error> refuse(std::string about) {
  ERR_clear_error();
  return fail(Fault::revocation_unknown, "status answer", std::move(about));
}

/// SHA-1 only identifies the certificate here; it protects nothing. Every responder supports it (RFC 5019 §2.1.1).
CertIdPtr id_of(const Certificate& certificate, const Certificate& issuer, const EVP_MD* digest) {
  return CertIdPtr(OCSP_cert_to_id(digest, certificate.x509(), issuer.x509()));
}

Result<BasicPtr> parse(View response) {
  if (response.size() > kMaxAnswer) return fail(Fault::too_long, "status answer");
  const unsigned char* at = response.data();
  const ResponsePtr outer(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())));
  if (!outer || at != response.data() + response.size()) {
    ERR_clear_error();
    return fail(Fault::malformed, "status answer", "it is no OCSP response");
  }
  const int status = OCSP_response_status(outer.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return refuse(std::string("the responder says: ") + OCSP_response_status_str(status));
  }
  BasicPtr basic(OCSP_response_get1_basic(outer.get()));
  if (!basic || OCSP_resp_count(basic.get()) > kMaxSingles) {
    ERR_clear_error();
    return fail(Fault::malformed, "status answer", "it is no basic OCSP response");
  }
  return basic;
}

/// Checks that the issuer certified the responder for OCSP, and that its own status need not be checked
/// (RFC 6960 §4.2.2.2.1).
Result<> check_delegate(X509* signer, const Certificate& issuer, Time now) {
  USHER_TRY(const Certificate delegate, Certificate::from_x509(signer));
  const StorePtr store(X509_STORE_new());
  const StoreCtxPtr context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), issuer.x509()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), delegate.x509(), nullptr) != 1) {
    return crypto::ossl_fail(Fault::local, "status answer");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, unix_seconds(now));
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  X509_VERIFY_PARAM_set_depth(parameters, 0);
  if (X509_verify_cert(context.get()) != 1) {
    return refuse(std::string("its signer: ") + X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  if (!delegate.has_eku(kOcspSigning) || delegate.is_ca()) return refuse("its signer may not sign such answers");
  if ((delegate.key_usage() & KU_DIGITAL_SIGNATURE) == 0) return refuse("its signer's key is not for signatures");
  if (X509_get_ext_by_NID(delegate.x509(), NID_id_pkix_OCSP_noCheck, -1) < 0) {
    return refuse("its signer's own status cannot be established (no id-pkix-ocsp-nocheck)");
  }
  return {};
}

/// Checks that the issuer itself or its delegate signed.
Result<> check_signature(OCSP_BASICRESP* basic, const Certificate& issuer, Time now) {
  if (!is_strong_signature(OCSP_resp_get0_tbs_sigalg(basic))) return refuse("it is signed with a weak digest");
  const X509Stack signers(sk_X509_new_null());
  if (!signers || sk_X509_push(signers.get(), issuer.x509()) <= 0) {
    return crypto::ossl_fail(Fault::local, "status answer");
  }
  // OpenSSL looks for the signer by the name or key that the answer gives, and verifies with its key.
  X509* signer = nullptr;
  if (OCSP_resp_get0_signer(basic, &signer, signers.get()) != 1 || signer == nullptr) {
    return refuse("neither the issuer nor a responder of its own signed it");
  }
  if (X509_cmp(signer, issuer.x509()) != 0) {
    USHER_CHECK(check_delegate(signer, issuer, now));
  }
  if (OCSP_basic_verify(basic, signers.get(), nullptr, OCSP_NOVERIFY) != 1) return refuse("its signature is wrong");
  return {};
}

bool has_critical(OCSP_BASICRESP* basic, OCSP_SINGLERESP* single) {
  return OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0 ||
         OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0;
}

OCSP_SINGLERESP* single_about(OCSP_BASICRESP* basic, const Certificate& certificate, const Certificate& issuer) {
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256()}) {
    const CertIdPtr id = id_of(certificate, issuer, digest);
    const int found = id ? OCSP_resp_find(basic, id.get(), -1) : -1;
    if (found >= 0) return OCSP_resp_get0(basic, found);
  }
  return nullptr;
}

}  // namespace

Result<Bytes> status_request(const Certificate& certificate, const Certificate& issuer) {
  const RequestPtr request(OCSP_REQUEST_new());
  CertIdPtr id = id_of(certificate, issuer, EVP_sha1());
  if (!request || !id || OCSP_request_add0_id(request.get(), id.get()) == nullptr) {
    return crypto::ossl_fail(Fault::local, "status request");
  }
  [[maybe_unused]] const auto* const taken = id.release();
  Bytes der = crypto::der_of<i2d_OCSP_REQUEST>(request.get());
  if (der.empty()) return crypto::ossl_fail(Fault::local, "status request");
  return der;
}

Result<StatusAnswer> read_answer(View response, const Certificate& certificate, const Certificate& issuer, Time now) {
  USHER_TRY(const BasicPtr basic, parse(response));
  OCSP_SINGLERESP* single = single_about(basic.get(), certificate, issuer);
  if (single == nullptr) return refuse("it is about another certificate");
  if (has_critical(basic.get(), single)) return refuse("it has a critical extension");
  USHER_CHECK(check_signature(basic.get(), issuer, now));

  int reason = 0;
  ASN1_GENERALIZEDTIME* revoked_at = nullptr;
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int status = OCSP_single_get0_status(single, &reason, &revoked_at, &from, &until);
  if (status != V_OCSP_CERTSTATUS_GOOD && status != V_OCSP_CERTSTATUS_REVOKED) {
    return refuse("the responder does not know the certificate");
  }
  const auto this_update = time_of(from);
  const auto next_update =
      until == nullptr ? this_update.transform([](Time t) { return t + kWithoutEnd; }) : time_of(until);
  if (!this_update || !next_update) return fail(Fault::malformed, "status answer", "its times cannot be read");
  if (*this_update > now + kAnswerSkew) return refuse("it is not in force yet");
  if (*next_update <= now) return fail(Fault::crl_expired, "status answer");
  return StatusAnswer{
      .revoked = status == V_OCSP_CERTSTATUS_REVOKED, .this_update = *this_update, .next_update = *next_update};
}

}  // namespace usher::pki
