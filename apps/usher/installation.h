// usher/installation: this installation's certificate and key, and whom it trusts, as the configuration names them.
#pragma once

#include "identity/trust.h"
#include "session.h"

namespace usher::listening {

/// Certificates from the leaf on, and the leaf's private key.
struct Installation {
  identity::Chain chain;
  crypto::PrivateKey key;
};

[[nodiscard]] app::PathOf paths_of(const Config& config);  // borrows it

/// The login agent's, if it keeps one and `kept` says so; else from a file, or from a token: asks for passphrase or PIN.
/// Errors: the file's; those of PrivateKey::from_pem and identity::open_token_key; the passphrase's.
[[nodiscard]] Result<crypto::PrivateKey> load_key(const Options& options, const Config& config, Kept kept);
/// Errors: as load_key; malformed; bad_key, certificate and key do not belong together.
[[nodiscard]] Result<Installation> load_installation(const Options& options, const Config& config, Kept kept);

/// Where the lists are kept that the server handed out (identity.md §11.5).
[[nodiscard]] std::filesystem::path lists_file_of(const std::filesystem::path& data);

/// With `handed` beside the configured lists. Notes the newest ones that were seen, so that an older one is never taken
/// instead. Errors: bad_config, no anchors; the files'; crl_rollback.
[[nodiscard]] Result<std::shared_ptr<const identity::TrustStore>> load_trust(const Config& config,
                                                                             const app::TrustKeys& keys,
                                                                             identity::Role role,
                                                                             const std::filesystem::path& data,
                                                                             std::vector<identity::Crl> handed);

/// What the server's certificate must have, identity.md §3.4: the pinned key, the configured name, or the host.
[[nodiscard]] Result<identity::ServerName> server_name_of(const Config& config, const std::string& host);

}  // namespace usher::listening
