#include "pki/certificate_urls.h"

#include <algorithm>
#include <memory>

#include "pki/x509.h"

namespace usher::pki {
namespace {

using PointsPtr = Ossl<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using AccessPtr = Ossl<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;

bool is_clean_url(std::string_view url) {
  if (url.size() > kMaxListUrl || !(url.starts_with("http://") || url.starts_with("https://"))) return false;
  return std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
}

void add_once(std::vector<std::string>& urls, std::string_view url) {
  if (std::ranges::find(urls, url) == urls.end()) urls.emplace_back(url);
}

/// Empty if the name is not a clean URL.
std::string_view url_of(const GENERAL_NAME* name) {
  if (name->type != GEN_URI) return {};
  const ASN1_STRING* text = name->d.uniformResourceIdentifier;
  const View bytes(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text)));
  return is_clean_url(text_of(bytes)) ? text_of(bytes) : std::string_view();
}

void add_points(std::vector<std::string>& urls, const PointsPtr& points) {
  if (!points) return;
  std::size_t taken = 0;
  for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
    const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
    const bool has_full_name = point->distpoint != nullptr && point->distpoint->type == 0;
    if (point->CRLissuer != nullptr || !has_full_name) continue;
    const GENERAL_NAMES* names = point->distpoint->name.fullname;
    for (int n = 0; n < sk_GENERAL_NAME_num(names) && taken < kMaxListUrls; ++n) {
      const std::string_view url = url_of(sk_GENERAL_NAME_value(names, n));
      if (url.empty()) continue;
      add_once(urls, url);
      ++taken;
    }
  }
}

std::vector<std::string> access_urls(const Certificate& certificate, int method) {
  std::vector<std::string> urls;
  const AccessPtr access(
      static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(certificate.x509(), NID_info_access, nullptr, nullptr)));
  for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()) && urls.size() < kMaxListUrls; ++i) {
    const ACCESS_DESCRIPTION* one = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    const std::string_view url = OBJ_obj2nid(one->method) == method ? url_of(one->location) : std::string_view();
    if (!url.empty()) add_once(urls, url);
  }
  return urls;
}

}  // namespace

std::vector<std::string> list_urls(const Certificate& certificate) {
  std::vector<std::string> urls;
  for (const int kind : {NID_crl_distribution_points, NID_freshest_crl}) {
    add_points(urls,
               PointsPtr(static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate.x509(), kind, nullptr, nullptr))));
  }
  return urls;
}

std::vector<std::string> list_urls(const Crl& crl) {
  std::vector<std::string> urls;
  add_points(
      urls,
      PointsPtr(static_cast<CRL_DIST_POINTS*>(X509_CRL_get_ext_d2i(crl.ossl(), NID_freshest_crl, nullptr, nullptr))));
  return urls;
}

std::vector<std::string> list_urls(const Chain& path) {
  std::vector<std::string> urls;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    for (const std::string& url : list_urls(path[i])) add_once(urls, url);
  }
  return urls;
}

std::vector<std::string> responder_urls(const Certificate& certificate) {
  return access_urls(certificate, NID_ad_OCSP);
}

std::vector<std::string> issuer_urls(const Certificate& certificate) {
  return access_urls(certificate, NID_ad_ca_issuers);
}

}  // namespace usher::pki
