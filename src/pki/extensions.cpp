#include "pki/extensions.h"

#include <array>
#include <utility>

namespace usher::pki {
namespace {

using ConstraintsPtr = Ossl<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BitsPtr = Ossl<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using KeyIdPtr = Ossl<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using PointsPtr = Ossl<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using PointPtr = Ossl<DIST_POINT, DIST_POINT_free>;
using GeneralNamePtr = Ossl<GENERAL_NAME, GENERAL_NAME_free>;
using AccessPtr = Ossl<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;
using DescriptionPtr = Ossl<ACCESS_DESCRIPTION, ACCESS_DESCRIPTION_free>;

constexpr int kKeyIdSize = 20;

GeneralNamePtr text_name(int type, const std::string& text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (!name || value == nullptr || ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    return nullptr;
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  return name;
}

GeneralNamePtr address_name(const IpAddress& address) {
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  if (!name || value == nullptr ||
      ASN1_OCTET_STRING_set(value, address.bytes.data(), static_cast<int>(address.bytes.size())) != 1) {
    ASN1_OCTET_STRING_free(value);
    return nullptr;
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value);
  return name;
}

bool push(GENERAL_NAMES* names, GeneralNamePtr name) {
  if (!name || sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  [[maybe_unused]] const auto* const taken = name.release();
  return true;
}

/// One distribution point with one URL.
PointsPtr points_to(const std::string& url) {
  PointsPtr points(sk_DIST_POINT_new_null());
  PointPtr point(DIST_POINT_new());
  GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  if (!points || !point || !names || !push(names.get(), text_name(GEN_URI, url))) return nullptr;
  point->distpoint = DIST_POINT_NAME_new();
  if (point->distpoint == nullptr) return nullptr;
  point->distpoint->type = 0;  // fullName
  point->distpoint->name.fullname = names.release();
  if (sk_DIST_POINT_push(points.get(), point.get()) <= 0) return nullptr;
  [[maybe_unused]] const auto* const taken = point.release();
  return points;
}

KeyIdPtr key_id_of(const X509* issuer) {
  const ASN1_OCTET_STRING* subject_id = X509_get0_subject_key_id(const_cast<X509*>(issuer));
  KeyIdPtr id(AUTHORITY_KEYID_new());
  if (subject_id == nullptr || !id) return nullptr;
  id->keyid = ASN1_OCTET_STRING_dup(subject_id);
  return id->keyid == nullptr ? nullptr : std::move(id);
}

bool add(X509* certificate, int nid, void* value, bool critical) {
  return value != nullptr && X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

/// Does nothing if `url` is empty.
bool push(AUTHORITY_INFO_ACCESS* access, int method, const std::string& url) {
  if (url.empty()) return true;
  DescriptionPtr description(ACCESS_DESCRIPTION_new());
  GeneralNamePtr location = text_name(GEN_URI, url);
  if (!description || !location) return false;
  ASN1_OBJECT_free(description->method);
  description->method = OBJ_nid2obj(method);
  GENERAL_NAME_free(description->location);
  description->location = location.release();
  if (sk_ACCESS_DESCRIPTION_push(access, description.get()) <= 0) return false;
  [[maybe_unused]] const auto* const taken = description.release();
  return true;
}

bool add_access(X509* certificate, const CertificateUrls& urls) {
  if (urls.issuer.empty() && urls.responder.empty()) return true;
  const AccessPtr access(sk_ACCESS_DESCRIPTION_new_null());
  return access && push(access.get(), NID_ad_OCSP, urls.responder) &&
         push(access.get(), NID_ad_ca_issuers, urls.issuer) && add(certificate, NID_info_access, access.get(), false);
}

}  // namespace

bool add_basic_constraints(X509* certificate, bool is_ca, std::optional<int> path_length) {
  const ConstraintsPtr constraints(BASIC_CONSTRAINTS_new());
  if (!constraints) return false;
  constraints->ca = is_ca ? 0xff : 0;
  if (path_length) {
    constraints->pathlen = ASN1_INTEGER_new();
    if (constraints->pathlen == nullptr || ASN1_INTEGER_set(constraints->pathlen, *path_length) != 1) return false;
  }
  return add(certificate, NID_basic_constraints, constraints.get(), true);
}

bool add_key_usage(X509* certificate, std::uint32_t bits) {
  // X.509's bit numbers for OpenSSL's flags.
  constexpr std::array<std::pair<std::uint32_t, int>, 5> kBits{{{KU_DIGITAL_SIGNATURE, 0},
                                                                {KU_KEY_ENCIPHERMENT, 2},
                                                                {KU_KEY_AGREEMENT, 4},
                                                                {KU_KEY_CERT_SIGN, 5},
                                                                {KU_CRL_SIGN, 6}}};
  const BitsPtr usage(ASN1_BIT_STRING_new());
  if (!usage) return false;
  for (const auto& [flag, bit] : kBits) {
    if ((bits & flag) != 0 && ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) != 1) return false;
  }
  return add(certificate, NID_key_usage, usage.get(), true);
}

bool add_extended_key_usage(X509* certificate, std::span<const std::string> dotted_oids) {
  if (dotted_oids.empty()) return true;
  const EkuPtr usages(sk_ASN1_OBJECT_new_null());
  if (!usages) return false;
  for (const std::string& oid : dotted_oids) {
    ObjectPtr object(OBJ_txt2obj(oid.c_str(), 1));
    if (!object || sk_ASN1_OBJECT_push(usages.get(), object.get()) <= 0) return false;
    [[maybe_unused]] const auto* const taken = object.release();
  }
  return add(certificate, NID_ext_key_usage, usages.get(), false);
}

bool add_subject_key_id(X509* certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  const OctetsPtr id(ASN1_OCTET_STRING_new());
  return id && X509_pubkey_digest(certificate, EVP_sha256(), digest.data(), &size) == 1 &&
         ASN1_OCTET_STRING_set(id.get(), digest.data(), kKeyIdSize) == 1 &&
         add(certificate, NID_subject_key_identifier, id.get(), false);
}

bool add_authority_key_id(X509* certificate, const X509* issuer) {
  const KeyIdPtr id = key_id_of(issuer);
  return id && add(certificate, NID_authority_key_identifier, id.get(), false);
}

bool add_authority_key_id(X509_CRL* crl, const X509* issuer) {
  const KeyIdPtr id = key_id_of(issuer);
  return id && X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_alternative_names(X509* certificate, std::span<const std::string> dns, std::span<const IpAddress> ip) {
  if (dns.empty() && ip.empty()) return true;
  const GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  if (!names) return false;
  for (const std::string& name : dns) {
    if (!push(names.get(), text_name(GEN_DNS, name))) return false;
  }
  for (const IpAddress& address : ip) {
    if (!push(names.get(), address_name(address))) return false;
  }
  return add(certificate, NID_subject_alt_name, names.get(), false);
}

bool add_urls(X509* certificate, const CertificateUrls& urls) {
  if (!urls.crl.empty() && !add(certificate, NID_crl_distribution_points, points_to(urls.crl).get(), false)) {
    return false;
  }
  if (!urls.freshest_crl.empty() && !add(certificate, NID_freshest_crl, points_to(urls.freshest_crl).get(), false)) {
    return false;
  }
  return add_access(certificate, urls);
}

bool add_freshest_crl(X509_CRL* crl, const std::string& url) {
  const PointsPtr points = points_to(url);
  return points && X509_CRL_add1_ext_i2d(crl, NID_freshest_crl, points.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

}  // namespace usher::pki
