#include "licence/licence.h"

#include <array>
#include <utility>

#include "base/encoding.h"

namespace usher::licence {
namespace {

using crypto::SignatureScheme;

// One algorithm per kind of key (§2.2). The header does not choose the algorithm; it must name this one.
Result<std::string_view> algorithm_of(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::ecdsa_p256_sha256:
      return "ES256";
    case SignatureScheme::rsa_pss_sha256:
      return "PS256";
    case SignatureScheme::rsa_pkcs1_sha256:
      break;
  }
  return fail(Fault::bad_key, "licence: algorithm");
}

SignatureScheme scheme_of_kind(crypto::KeyKind kind) noexcept {
  return kind == crypto::KeyKind::p256 ? SignatureScheme::ecdsa_p256_sha256 : SignatureScheme::rsa_pss_sha256;
}

constexpr std::string_view kHeaderAlgorithm = R"({"alg":")";
constexpr std::string_view kHeaderKey = R"(","kid":")";
constexpr std::string_view kHeaderType = R"(","typ":"usher-licence+jws"})";
constexpr std::size_t kKeyIdSize = 43;

std::string header_of(std::string_view algorithm, const crypto::PublicKey& key) {
  std::string header;
  header.append(kHeaderAlgorithm).append(algorithm).append(kHeaderKey).append(key_id_of(key)).append(kHeaderType);
  return header;
}

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header . payload
};

Result<Parts> split(std::string_view document) {
  if (document.size() > kMaxDocument) return fail(Fault::too_long, "licence: document");
  const std::size_t first = document.find('.');
  const std::size_t second = first == std::string_view::npos ? first : document.find('.', first + 1);
  if (second == std::string_view::npos || document.find('.', second + 1) != std::string_view::npos) {
    return fail(Fault::malformed, "licence: three parts");
  }
  return Parts{.header = document.substr(0, first),
               .payload = document.substr(first + 1, second - first - 1),
               .signature = document.substr(second + 1),
               .signed_text = document.substr(0, second)};
}

}  // namespace

std::string key_id_of(const crypto::PublicKey& key) { return to_base64url(key.fingerprint()); }

Result<std::string> claimed_key_id(std::string_view document) {
  USHER_TRY(const Parts parts, split(document));
  USHER_TRY(const Bytes header, from_base64url(parts.header));
  const std::string_view text = text_of(header);
  constexpr std::size_t kAlgorithmSize = 5;
  constexpr std::size_t kKeyAt = kHeaderAlgorithm.size() + kAlgorithmSize + kHeaderKey.size();
  if (text.size() != kKeyAt + kKeyIdSize + kHeaderType.size()) return fail(Fault::malformed, "licence: header");
  return std::string{text.substr(kKeyAt, kKeyIdSize)};
}

Result<std::string> sign(const LicenceTerms& terms, const crypto::Signer& signer) {
  USHER_CHECK(check_terms(terms));
  USHER_TRY(const std::string_view algorithm, algorithm_of(signer.scheme()));
  std::string document = to_base64url(view_of(header_of(algorithm, signer.public_key())));
  document.append(".").append(to_base64url(view_of(encode_terms(terms))));

  USHER_TRY(Bytes signature, signer.sign(view_of(document)));
  if (signer.scheme() == SignatureScheme::ecdsa_p256_sha256) {
    USHER_TRY(signature, crypto::ecdsa_raw_from_der(signature));
  }
  document.append(".").append(to_base64url(signature));
  return document;
}

Result<VerifiedLicence> verify(std::string_view document, const crypto::PublicKey& key) {
  USHER_TRY(const Parts parts, split(document));
  const SignatureScheme scheme = scheme_of_kind(key.kind());
  USHER_TRY(const std::string_view algorithm, algorithm_of(scheme));
  if (parts.header != to_base64url(view_of(header_of(algorithm, key)))) {
    return fail(Fault::bad_signature, "licence: header");
  }

  USHER_TRY(Bytes signature, from_base64url(parts.signature));
  if (scheme == SignatureScheme::ecdsa_p256_sha256) {
    USHER_TRY(signature, crypto::ecdsa_der_from_raw(signature));
  }
  USHER_CHECK(key.verify(scheme, view_of(parts.signed_text), signature));

  USHER_TRY(const Bytes payload, from_base64url(parts.payload));
  USHER_TRY(LicenceTerms terms, decode_terms(text_of(payload)));
  return VerifiedLicence(std::move(terms), std::string{document});
}

}  // namespace usher::licence
