// usherd/chain_check: one certificate, judged offline by the code that the server uses.  Spec: identity.md §10.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "identity/profile.h"
#include "identity/trust.h"

namespace usher::usherd {

/// As on the command line.
struct ChainQuestion {
  std::vector<std::filesystem::path> trust{};
  std::vector<std::filesystem::path> untrusted{};
  std::vector<std::filesystem::path> crls{};
  std::filesystem::path certificate{};
  identity::RevocationMode revocation = identity::RevocationMode::chain;
  std::optional<identity::Role> role{};  // nothing: the path alone
  std::optional<identity::Profile> profile{};
  std::optional<identity::ServerName> name{};
  Time at{};
  identity::PolicyInputs policy{};
};

struct ChainVerdict {
  std::optional<Error> refusal{};
  int depth = 0;       // of a refusal: the certificate that it is about, 0 the leaf
  std::string note{};  // a sentence that belongs to the verdict
};

/// Errors: what makes a question unusable: a file that cannot be read, or that holds nothing of its kind. An object in a
/// file that does not decode counts as not there, and the note says so; the certificate itself is then refused.
[[nodiscard]] Result<ChainVerdict> check_chain(const ChainQuestion& question);

/// Unix seconds, or ISO 8601: 2026-01-31, 2026-01-31T12:00[:00[.5]][Z|±01:00]; without a zone UTC. Errors: bad_usage.
[[nodiscard]] Result<Time> time_of_argument(std::string_view text);

}  // namespace usher::usherd
