#include "common/trust.h"

#include <algorithm>
#include <iterator>

#include "base/encoding.h"
#include "base/file.h"

namespace usher::app {
namespace {

constexpr std::size_t kMaxPem = 1 << 20;  // bytes of a file with certificates

Result<std::vector<pki::Crl>> load_crls(const Texts& files, const PathOf& path_of) {
  std::vector<pki::Crl> all;
  for (const std::string& name : files) {
    const std::filesystem::path file = path_of(name);
    USHER_TRY(const std::string content, read_file(file, pki::kMaxCrlFile));
    auto some = pki::crls_from_file_content(view_of(content));
    if (!some)
      return fail(some.error().fault, "trust: revocation lists", file.string(),
                  "Name a file with revocation lists, in PEM or DER.");
    std::ranges::move(*some, std::back_inserter(all));
  }
  return all;
}

pki::RevocationMode mode_of(std::string_view name) {
  if (name == "leaf") return pki::RevocationMode::leaf;
  return name == "none" ? pki::RevocationMode::none : pki::RevocationMode::chain;
}

Result<pki::RevocationTolerance> tolerance_of(const Texts& names) {
  pki::RevocationTolerance tolerance;
  for (const std::string& name : names) {
    if (name == "missing-delta") {
      tolerance.missing_delta = true;
    } else if (name == "unusable-delta") {
      tolerance.unusable_delta = true;
    } else if (name == "expired-list") {
      tolerance.expired_list = true;
    } else {
      return fail(Fault::bad_config, "trust: tolerate",
                  printable(name) + " is not one of missing-delta, unusable-delta, expired-list");
    }
  }
  return tolerance;
}

}  // namespace

void add_trust_keys(Settings& settings, const std::string& section, TrustKeys& keys) {
  settings.add(
      {Key::files(section + ".anchors", keys.anchors, "PEM files with the trusted root certificates").as_reloaded(),
       Key::files(section + ".intermediates", keys.intermediates, "PEM files with authorities between root and leaf")
           .as_reloaded(),
       Key::files(section + ".crls", keys.crls, "PEM or DER files with revocation lists, complete lists and deltas")
           .as_reloaded(),
       Key::choice(section + ".revocation", keys.revocation, "chain|leaf|none",
                   "which certificates need a current revocation list")
           .as_reloaded(),
       Key::texts(
           section + ".tolerate", keys.tolerate,
           "problems of revocation lists that do not cause a refusal: missing-delta, unusable-delta, expired-list")
           .as_reloaded(),
       Key::texts(section + ".eku", keys.eku,
                  "extended key usages (dotted) that count as this role, for certificates of another authority")
           .as_reloaded(),
       Key::flag(section + ".accept_without_eku", keys.accept_without_eku,
                 "accept certificates without an extended key usage")
           .as_reloaded()});
}

Result<pki::Chain> load_certificates(const Texts& files, const PathOf& path_of) {
  pki::Chain all;
  for (const std::string& name : files) {
    const std::filesystem::path file = path_of(name);
    USHER_TRY(const std::string pem, read_file(file, kMaxPem));
    auto some = pki::bundle_from_pem(pem);
    if (!some)
      return fail(some.error().fault, "trust: certificates", file.string(),
                  "Name PEM files with certificates (-----BEGIN CERTIFICATE-----).");
    std::ranges::move(*some, std::back_inserter(all));
  }
  return all;
}

Result<pki::TrustConfig> load_trust_config(const TrustKeys& keys, pki::Role role, const PathOf& path_of) {
  pki::TrustConfig trust{.role = role};
  USHER_TRY(trust.anchors, load_certificates(keys.anchors, path_of));
  USHER_TRY(trust.intermediates, load_certificates(keys.intermediates, path_of));
  USHER_TRY(trust.crls, load_crls(keys.crls, path_of));
  trust.revocation = mode_of(keys.revocation);
  USHER_TRY(trust.tolerance, tolerance_of(keys.tolerate));
  if (!keys.eku.empty() || keys.accept_without_eku) {
    trust.mapping = pki::RoleMapping{.any_eku = keys.eku, .accept_without_eku = keys.accept_without_eku};
  }
  return trust;
}

}  // namespace usher::app
