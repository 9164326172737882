// usher-ca/issue: one certificate of the media hierarchy.
#pragma once

#include "commands.h"
#include "common/passphrase.h"

namespace usher::ca {

struct IssueOptions {
  std::string out;
  std::string common_name;
  std::string organisation;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string key_kind = "p256";
  std::filesystem::path public_key;
  app::PassphraseSource key_passphrase;
  int days = 365;
  CardUser user;
  std::string replaces{};  // serial number of the certificate that this one replaces; only reported
};

/// --out, --key, --public-key, --key-passphrase-file, --key-passphrase-fd, --days.
void add_common_issue_options(const app::Command& verb, IssueOptions& options);
/// Issued by the issuing root. Errors: bad_usage, already_exists; those of the authority.
[[nodiscard]] Result<> issue_media(Context& context, const IssueOptions& options, pki::Role role);

}  // namespace usher::ca
