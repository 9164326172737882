// usherd/key_files: the server's own keys, and the passphrase that opens them.
#pragma once

#include <memory>

#include "common/passphrase.h"
#include "config.h"
#include "crypto/key.h"
#include "identity/certificate.h"
#include "identity/pseudonym.h"
#include "net/media_service.h"

namespace usher::usherd {

/// --passphrase-file or --passphrase-fd; else keys.passphrase_file; else a prompt. A file inside the home is refused:
/// it would be beside what it protects, in every backup too. Errors: bad_config, and read_passphrase's.
[[nodiscard]] Result<crypto::Secret> passphrase_of(const Config& config, const app::PassphraseSource& given,
                                                   bool twice = false);

/// Makes the keys that are the server's alone: licences, vault, pseudonyms. Existing ones are never overwritten.
/// Errors: already_exists, those of write_file.
[[nodiscard]] Result<> create_own_keys(const Config& config, const crypto::Secret& passphrase, Random& random);

/// A key and its certificates, which belong together.
struct KeyPair {
  identity::Chain chain;
  std::shared_ptr<const crypto::PrivateKey> key;
};
/// Errors: not_found, not_permitted (modes), bad_passphrase, unencrypted_key, malformed; bad_key (they do not belong
/// together).
[[nodiscard]] Result<KeyPair> load_pair(const std::filesystem::path& certificates, const std::filesystem::path& key,
                                        const crypto::Secret& passphrase);
[[nodiscard]] Result<net::LicenceIssuer> load_licence_issuer(const Config& config, const crypto::Secret& passphrase);
[[nodiscard]] Result<crypto::Secret> load_vault_key(const Config& config, const crypto::Secret& passphrase);
[[nodiscard]] Result<identity::PseudonymKey> load_pseudonym_key(const Config& config, const crypto::Secret& passphrase);

}  // namespace usher::usherd
