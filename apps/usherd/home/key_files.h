// usherd/home/key_files: the server's own keys.
#pragma once

#include <memory>

#include "crypto/key.h"
#include "person/pseudonym.h"
#include "pki/certificate.h"
#include "service/media_service.h"
#include "usherd/config/config.h"
#include "usherd/home/keyring.h"

namespace usher::usherd {

/// Creates the server's own keys: licences, vault, pseudonyms. A licence key on a token is opened, and its public half
/// is written to a file. A vault key is sealed for keys.vault_token, if that is configured. Never overwrites existing
/// keys. Errors: already_exists, those of create_file and of Keyring::load.
[[nodiscard]] Result<> create_own_keys(const Config& config, Keyring& keys, Random& random);

/// Whether the key's file exists, or the key is configured to be on a token.
[[nodiscard]] bool is_key_there(const Config& config, const std::string& name);

/// A key and its certificates; they belong together.
struct KeyPair {
  pki::Chain chain;
  std::shared_ptr<const crypto::PrivateKey> key;
};
/// A configured file of certificates, leaf first. Errors: the file's; Certificate::from_der's.
[[nodiscard]] Result<pki::Chain> load_chain(const Config& config, const std::string& certificates);
/// `certificates`, `key`: names from the configuration.
/// Errors: Keyring::load's; malformed; bad_key (they do not belong together).
[[nodiscard]] Result<KeyPair> load_pair(const Config& config, const std::string& certificates, const std::string& key,
                                        Keyring& keys);
[[nodiscard]] Result<service::LicenceIssuer> load_licence_issuer(const Config& config, Keyring& keys);
struct RotatedKey {
  std::filesystem::path retired;  // the old key's public half
  std::string key_id;             // of the new key, as in licences and listeners' programs
};
/// Retires the licence key: writes its public half to `retired` next to it, where it is read from then on. A new key
/// takes its place. With `to`, a key on a token is prepared instead, and keys.licence_key has to name it afterwards.
/// The old private key is overwritten; with `to` it stays where it is, in its file or on its token.
/// Errors: bad_usage; bad_config, too many are retired; those of the keys and of replace_file.
[[nodiscard]] Result<RotatedKey> rotate_licence_key(const Config& config, Keyring& keys, const std::string& to);
/// With the passphrase or with keys.vault_token, as the file requires.
[[nodiscard]] Result<crypto::Secret> load_vault_key(const Config& config, Keyring& keys);
[[nodiscard]] Result<person::PseudonymKey> load_pseudonym_key(const Config& config, const Keyring& keys);

/// Seals the vault key for keys.vault_token, or for the passphrase. Errors: bad_config, no token is configured; those
/// of media::reseal_vault_key and Keyring::load.
[[nodiscard]] Result<> seal_vault_key(const Config& config, Keyring& keys, bool for_token, Random& random);

}  // namespace usher::usherd
