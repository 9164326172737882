// usherd/verbs/chain_check: verifies one certificate offline, with the server's own code.  Spec: identity.md §10.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "person/profile.h"
#include "pki/trust_store.h"

namespace usher::usherd {

/// The arguments of the command line.
struct ChainQuestion {
  std::vector<std::filesystem::path> trust{};
  std::vector<std::filesystem::path> untrusted{};
  std::vector<std::filesystem::path> crls{};
  std::filesystem::path certificate{};
  pki::RevocationMode revocation = pki::RevocationMode::chain;
  std::optional<pki::Role> role{};  // no value: only the path is verified
  std::optional<person::Profile> profile{};
  std::optional<pki::ServerName> name{};
  Time at{};
  pki::PolicyInputs policy{};
};

struct ChainVerdict {
  std::optional<Error> refusal{};
  int depth = 0;       // of the refused certificate, 0: the leaf
  std::string note{};  // a sentence that accompanies the verdict
};

/// Errors: those that leave no verdict: a file cannot be read, or has no object of its kind. An object in a file that
/// does not decode is ignored, and the note reports it; if it is the certificate itself, the verdict is a refusal.
[[nodiscard]] Result<ChainVerdict> check_chain(const ChainQuestion& question);

/// Unix seconds, or ISO 8601: 2026-01-31, 2026-01-31T12:00[:00[.5]][Z|±01:00]; UTC without a zone. Errors: bad_usage.
[[nodiscard]] Result<Time> time_of_argument(std::string_view text);

}  // namespace usher::usherd
