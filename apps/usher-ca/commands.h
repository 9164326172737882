// usher-ca/commands: the commands. Each adds itself to the command line.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ca_home.h"
#include "common/command_line.h"

namespace usher::ca {

/// What every verb receives. Lives as long as main().
struct Context {
  std::filesystem::path home;
  const Clock& clock;
  Random& random;
  /// The passphrase of the authorities' keys (--passphrase-file, --passphrase-fd, or a prompt). It is read once and
  /// kept. `fresh`: for a new key; a prompt then asks twice.
  std::function<Result<crypto::Secret>(bool fresh)> passphrase;
  /// Results on standard output, and errors on stderr, are JSON (docs/reference/json.md).
  bool json = false;
};

/// The authorities that exist in the home: "media/root", "media/root-2", …, "card/root", "card/sub".
[[nodiscard]] std::vector<std::string> authorities_in(const std::filesystem::path& home);
/// The media roots among them, the oldest first.
[[nodiscard]] std::vector<std::string> media_roots_in(const std::filesystem::path& home);
/// The media root that issues. Errors: malformed, `media/issuing` names a root that does not exist; not_found.
[[nodiscard]] Result<std::string> issuing_root(const std::filesystem::path& home);
[[nodiscard]] Result<> set_issuing_root(const std::filesystem::path& home, const std::string& name);
/// Issues a certificate and records it in `authority`'s index.
[[nodiscard]] Result<pki::Certificate> issue_recorded(Authority& authority, const crypto::PrivateKey& authority_key,
                                                      const pki::LeafRequest& request, std::string kind,
                                                      const crypto::PublicKey& key, Random& random);
/// Starts slightly in the past, for clocks that are slow, and never ends after the authority does.
[[nodiscard]] pki::Validity validity_of(int days, Time now, const pki::Certificate* authority);

/// A card's owner. The certificate is issued by the card hierarchy's sub-CA.
struct CardUser {
  std::string common_name;
  std::string given_name;
  std::string surname;
  std::string civil_number;                   // "BI123456789": subject serialNumber
  std::string profile = "cartao-de-cidadao";  // or "generic": adds the person's extended key usage
  int days = 365 * 5;
};
/// Certifies the card's public key. Returns the certificates of user, sub-CA and root, after recording the user's in
/// the index.
[[nodiscard]] Result<pki::Chain> issue_card_user(Context& context, const CardUser& user, const crypto::PublicKey& key);

void add_rotate_command(const app::Command& program, Context& context);  // rotate.cpp
void add_init_command(const app::Command& program, Context& context);
void add_issue_command(const app::Command& program, Context& context);
void add_revoke_command(const app::Command& program, Context& context);
void add_crl_command(const app::Command& program, Context& context);
void add_list_command(const app::Command& program, Context& context);
void add_card_command(const app::Command& program, Context& context);  // card.cpp

}  // namespace usher::ca
