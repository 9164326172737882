#include "pki/issuers.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "pki/pem.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

using Pkcs7Ptr = Ossl<PKCS7, PKCS7_free>;

constexpr std::size_t kMaxAtUrl = 8;

Result<Chain> from_pkcs7(View content) {
  const unsigned char* at = content.data();
  const Pkcs7Ptr bag(d2i_PKCS7(nullptr, &at, static_cast<long>(content.size())));
  ERR_clear_error();
  const bool is_signed = bag && PKCS7_type_is_signed(bag.get()) && bag->d.sign != nullptr;
  const STACK_OF(X509)* held = is_signed ? bag->d.sign->cert : nullptr;
  const int count = held == nullptr ? 0 : sk_X509_num(held);
  if (count < 1 || static_cast<std::size_t>(count) > kMaxAtUrl) return fail(Fault::malformed, "issuers");
  Chain chain;
  for (int i = 0; i < count; ++i) {
    USHER_TRY(Certificate one, Certificate::from_x509(sk_X509_value(held, i)));
    chain.push_back(std::move(one));
  }
  return chain;
}

/// Compares names and key identifiers only. A false match gains nothing, and no signature is computed for it.
const Certificate* issuer_among(const Certificate& certificate, std::span<const Certificate> some) {
  const auto found = std::ranges::find_if(
      some, [&](const Certificate& one) { return X509_check_issued(one.x509(), certificate.x509()) == X509_V_OK; });
  return found == some.end() ? nullptr : &*found;
}

}  // namespace

Result<Chain> issuers_from_content(View content) {
  if (content.size() > kMaxIssuersContent) return fail(Fault::too_long, "issuers");
  auto blocks = der_or_pem(content, {"CERTIFICATE"}, 1);
  if (!blocks) return fail(blocks.error().fault, "issuers");
  if (auto one = Certificate::from_der(blocks->front())) return Chain{*std::move(one)};
  return from_pkcs7(blocks->front());
}

bool has_issued(const Certificate& authority, const Certificate& certificate) {
  if (!authority.may_certify() || X509_check_issued(authority.x509(), certificate.x509()) != X509_V_OK) return false;
  EVP_PKEY* key = X509_get0_pubkey(authority.x509());
  const bool verified = key != nullptr && X509_verify(certificate.x509(), key) == 1;
  ERR_clear_error();
  return verified;
}

const Certificate* top_of(std::span<const Certificate> chain, std::span<const Certificate> known) {
  const Certificate* top = chain.empty() ? nullptr : &chain.front();
  for (std::size_t step = 0; top != nullptr && step <= kMaxChain; ++step) {
    if (top->is_self_issued()) return nullptr;
    const Certificate* issuer = issuer_among(*top, chain);
    if (issuer == nullptr) issuer = issuer_among(*top, known);
    if (issuer == nullptr) return top;
    top = issuer;
  }
  return nullptr;
}

}  // namespace usher::pki
