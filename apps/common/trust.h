// apps/common/trust: the configured certificates and revocation lists that verify a role's peers.
// Spec: identity.md §1.5.
#pragma once

#include <functional>

#include "common/settings.h"
#include "pki/trust_store.h"

namespace usher::app {

/// Names of files. The program decides what relative names are relative to.
struct TrustKeys {
  Texts anchors{};
  Texts intermediates{};
  Texts crls{};
  std::string revocation = "chain";
  Texts tolerate{};
  Texts eku{};
  bool accept_without_eku = false;
};

/// Adds `<section>.anchors` and the others.
void add_trust_keys(Settings& settings, const std::string& section, TrustKeys& keys);

/// Turns a configured name into a path.
using PathOf = std::function<std::filesystem::path(const std::string&)>;

/// Every certificate of these PEM files. Errors: the files'; malformed, naming the file.
[[nodiscard]] Result<pki::Chain> load_certificates(const Texts& files, const PathOf& path_of);

/// Reads all files that the keys name. Empty `anchors` are no error here: TrustStore::make reports them. Errors: the
/// files'; malformed.
[[nodiscard]] Result<pki::TrustConfig> load_trust_config(const TrustKeys& keys, pki::Role role, const PathOf& path_of);

}  // namespace usher::app
