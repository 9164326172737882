#include "pki/x509.h"

#include <ctime>

#include <openssl/rsa.h>

#include "base/encoding.h"

namespace usher::pki {
namespace {

using PssPtr = Ossl<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;

constexpr std::size_t kMaxNameText = 1024;  // bytes

bool is_strong_digest(int nid) { return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512; }

/// The digest of an RSA-PSS algorithm; SHA-1 is the default of the syntax (RFC 4055 §3.1).
int pss_digest(const X509_ALGOR* algorithm) {
  const void* value = nullptr;
  int type = 0;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_sha1;
  const auto* sequence = static_cast<const ASN1_STRING*>(value);
  const unsigned char* at = ASN1_STRING_get0_data(sequence);
  const PssPtr pss(d2i_RSA_PSS_PARAMS(nullptr, &at, ASN1_STRING_length(sequence)));
  if (!pss || pss->hashAlgorithm == nullptr) return NID_sha1;
  return OBJ_obj2nid(pss->hashAlgorithm->algorithm);
}

}  // namespace

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return from_unix_seconds(timegm(&parts));
}

std::string dotted(const ASN1_OBJECT* object) {
  char short_text[128];
  const int size = OBJ_obj2txt(short_text, sizeof short_text, object, 1);
  if (size <= 0) return {};
  if (static_cast<std::size_t>(size) < sizeof short_text) return {short_text, static_cast<std::size_t>(size)};
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  OBJ_obj2txt(text.data(), size + 1, object, 1);
  text.pop_back();
  return text;
}

std::string text_of_name(const X509_NAME* name) {
  const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
  // UTF-8 as it is, control characters escaped, most significant part last.
  constexpr unsigned long kFlags = (XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB) &
                                    ~static_cast<unsigned long>(XN_FLAG_SEP_MASK)) |
                                   XN_FLAG_SEP_CPLUS_SPC;
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, kFlags) < 0) return {};
  return printable(content_of(bio.get()).substr(0, kMaxNameText));
}

Bytes der_of_name(const X509_NAME* name) {
  const unsigned char* der = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name, &der, &size) != 1) return {};
  return {der, der + size};
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string{} : std::string(data, static_cast<std::size_t>(size));
}

crypto::BioPtr reading(std::string_view text) {
  return crypto::BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_strong_signature(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  const int signature = OBJ_obj2nid(object);
  if (signature == NID_ED25519 || signature == NID_ED448) return true;
  if (signature == NID_rsassaPss) return is_strong_digest(pss_digest(algorithm));
  int digest = NID_undef;
  return OBJ_find_sigid_algs(signature, &digest, nullptr) == 1 && is_strong_digest(digest);
}

bool is_broken_signature(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  const int signature = OBJ_obj2nid(object);
  if (signature == NID_rsassaPss) return pss_digest(algorithm) == NID_sha1;
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(signature, &digest, &key) != 1) return false;
  return digest == NID_md5 || digest == NID_md4 || digest == NID_md2 ||
         (digest == NID_sha1 && key != NID_dsa && key != NID_dsa_2);
}

}  // namespace usher::pki
