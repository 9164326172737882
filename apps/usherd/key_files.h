// usherd/key_files: the server's own keys.
#pragma once

#include <memory>

#include "config.h"
#include "crypto/key.h"
#include "identity/certificate.h"
#include "identity/pseudonym.h"
#include "keyring.h"
#include "net/media_service.h"

namespace usher::usherd {

/// Makes the keys that are the server's alone: licences, vault, pseudonyms. A licence key on a token is opened, and its
/// public half written; a vault key is sealed for keys.vault_token, if one is configured. Existing ones are never
/// overwritten. Errors: already_exists, those of create_file and of Keyring::load.
[[nodiscard]] Result<> create_own_keys(const Config& config, Keyring& keys, Random& random);

/// Whether a key is in its file, or said to be on a token.
[[nodiscard]] bool is_key_there(const Config& config, const std::string& name);

/// A key and its certificates, which belong together.
struct KeyPair {
  identity::Chain chain;
  std::shared_ptr<const crypto::PrivateKey> key;
};
/// A file of certificates, leaf first, as the configuration names it. Errors: the file's; Certificate::from_der's.
[[nodiscard]] Result<identity::Chain> load_chain(const Config& config, const std::string& certificates);
/// `certificates`, `key`: as the configuration names them.
/// Errors: Keyring::load's; malformed; bad_key (they do not belong together).
[[nodiscard]] Result<KeyPair> load_pair(const Config& config, const std::string& certificates, const std::string& key,
                                        Keyring& keys);
[[nodiscard]] Result<net::LicenceIssuer> load_licence_issuer(const Config& config, Keyring& keys);
struct RotatedKey {
  std::filesystem::path retired;  // the old key's public half
  std::string key_id;             // of the new key, as licences and listeners' programs name it
};
/// Retires the licence key: its public half goes into `retired` beside it, and is read from there. A new key takes its
/// place; or, with `to`, a key on a token is made ready, which keys.licence_key has to name then. The old private key is
/// gone, or on its token.
/// Errors: bad_usage; bad_config, too many are retired; those of the keys and of replace_file.
[[nodiscard]] Result<RotatedKey> rotate_licence_key(const Config& config, Keyring& keys, const std::string& to);
/// With the passphrase, or with keys.vault_token, as the file wants it.
[[nodiscard]] Result<crypto::Secret> load_vault_key(const Config& config, Keyring& keys);
[[nodiscard]] Result<identity::PseudonymKey> load_pseudonym_key(const Config& config, const Keyring& keys);

/// Seals the vault key for keys.vault_token, or for the passphrase. Errors: bad_config, no token is configured; those of
/// media::reseal_vault_key and Keyring::load.
[[nodiscard]] Result<> seal_vault_key(const Config& config, Keyring& keys, bool for_token, Random& random);

}  // namespace usher::usherd
