#include "pki/name_constraints.h"

#include <algorithm>

#include <openssl/err.h>

#include "base/encoding.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

using ConstraintsPtr = Ossl<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;

/// "*.rest" covers every name of one label and rest. So it covers `excluded` if that is one label and rest.
bool stands_for(std::string_view wildcard, std::string_view excluded) {
  const std::string_view rest = wildcard.substr(1);  // with its dot
  return excluded.size() > rest.size() && excluded.ends_with(rest) &&
         excluded.substr(0, excluded.size() - rest.size()).find('.') == std::string_view::npos;
}

std::vector<std::string> excluded_dns_names(const Certificate& authority) {
  const ConstraintsPtr constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(authority.x509(), NID_name_constraints, nullptr, nullptr)));
  ERR_clear_error();  // absent, or refused by OpenSSL already
  std::vector<std::string> out;
  if (!constraints) return out;
  const auto* excluded = constraints->excludedSubtrees;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(excluded); ++i) {
    const GENERAL_NAME* base = sk_GENERAL_SUBTREE_value(excluded, i)->base;
    if (base->type != GEN_DNS) continue;
    const View name(ASN1_STRING_get0_data(base->d.dNSName),
                    static_cast<std::size_t>(ASN1_STRING_length(base->d.dNSName)));
    out.push_back(lower_ascii(text_of(name)));
  }
  return out;
}

}  // namespace

bool has_misplaced_constraints(const Certificate& certificate) {
  const int at = X509_get_ext_by_NID(certificate.x509(), NID_name_constraints, -1);
  if (at < 0) return false;
  const bool critical = X509_EXTENSION_get_critical(X509_get_ext(certificate.x509(), at)) == 1;
  return !certificate.has_ca_flag() || !critical;
}

bool has_excluded_wildcard(const Certificate& leaf, const Certificate& authority) {
  if (X509_get_ext_by_NID(authority.x509(), NID_name_constraints, -1) < 0) return false;
  const auto excluded = excluded_dns_names(authority);
  const auto names = leaf.dns_names();
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.starts_with("*.") &&
           std::ranges::any_of(excluded, [&](const std::string& one) { return stands_for(lower_ascii(name), one); });
  });
}

}  // namespace usher::pki
