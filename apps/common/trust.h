// apps/common/trust: by which certificates and revocation lists a role is judged, as configuration says.
// Spec: identity.md §1.5.
#pragma once

#include <functional>

#include "common/settings.h"
#include "identity/trust.h"

namespace usher::app {

/// Files; what relative ones are relative to is the program's.
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

/// From a configured name to a path.
using PathOf = std::function<std::filesystem::path(const std::string&)>;

/// Every certificate of these PEM files. Errors: the files'; malformed, naming the file.
[[nodiscard]] Result<identity::Chain> load_certificates(const Texts& files, const PathOf& path_of);

/// All that the keys name, read. Without anchors there are none: TrustStore::make tells. Errors: the files'; malformed.
[[nodiscard]] Result<identity::TrustConfig> load_trust_config(const TrustKeys& keys, identity::Role role,
                                                              const PathOf& path_of);

}  // namespace usher::app
