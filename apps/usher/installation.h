// usher/installation: this installation's certificate, key and trust, as configured.
#pragma once

#include "pki/trust_store.h"
#include "session.h"

namespace usher::cli {

/// The certificates, leaf first, and the leaf's private key.
struct Installation {
  pki::Chain chain;
  crypto::PrivateKey key;
};

[[nodiscard]] app::PathOf paths_of(const Config& config);  // borrows `config`

/// The login agent's key, if an agent keeps one and `kept` allows it. Otherwise the key from a file or a token, with a
/// prompt for the passphrase or PIN. Errors: the file's; those of PrivateKey::from_pem and card::open_token_key;
/// the passphrase's.
[[nodiscard]] Result<crypto::PrivateKey> load_key(const Options& options, const Config& config, Kept kept);
/// Errors: as load_key; malformed; bad_key, certificate and key do not belong together.
[[nodiscard]] Result<Installation> load_installation(const Options& options, const Config& config, Kept kept);

/// The file that stores the lists received from the server (identity.md §11.5).
[[nodiscard]] std::filesystem::path lists_file_of(const std::filesystem::path& data);

/// Uses the lists in `fetched` in addition to the configured ones. Records the newest lists seen, so that an older list
/// is never accepted later. Errors: bad_config, no anchors; the files'; crl_rollback.
[[nodiscard]] Result<std::shared_ptr<const pki::TrustStore>> load_trust(const Config& config,
                                                                        const app::TrustKeys& keys, pki::Role role,
                                                                        const std::filesystem::path& data,
                                                                        std::vector<pki::Crl> fetched);

/// What the server's certificate must match, identity.md §3.4: the pinned key, the configured name, or the host.
[[nodiscard]] Result<pki::ServerName> server_name_of(const Config& config, const std::string& host);

}  // namespace usher::cli
