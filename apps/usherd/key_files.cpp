#include "key_files.h"

#include "base/encoding.h"
#include "common/files.h"
#include "files.h"
#include "media/sealed.h"
#include "media/vault.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxKeyFile = 64 << 10;
// As the PKCS#8 keys, which the same passphrase opens: 32 MiB of memory, so that an import stays below 64.
constexpr crypto::ScryptCost kCost{.log2_n = 15, .r = 8, .p = 1};

Id128 pseudonym_key_id() { return media::companion_id("pseudonym key", Id128{}); }

/// Where the private licence key is, or would be if it were not on a token.
fs::path licence_file_of(const Config& config) {
  return config.path_of(identity::is_token_key(config.licence_key) ? Config().licence_key : config.licence_key);
}
/// The file of a public licence key, beside the private one.
fs::path public_file(fs::path key_file) { return key_file.replace_extension(".pub"); }

Result<Bytes> load_public(const fs::path& file) {
  USHER_TRY(std::string text, app::read_file(file, kMaxKeyFile));
  while (text.ends_with('\n')) text.pop_back();
  const auto spki = from_base64url(text);
  if (!spki) return fail(Fault::malformed, "licence key: public", file.string());
  USHER_TRY(const crypto::PublicKey key, crypto::PublicKey::from_spki(*spki));
  return key.spki();
}

Result<> create_licence_key(const Config& config, Keyring& keys) {
  const fs::path file = licence_file_of(config);
  const auto publish = [&](const crypto::PrivateKey& key) {
    return write_file(public_file(file), to_base64url(key.public_key().spki()) + "\n", 0644);
  };
  if (identity::is_token_key(config.licence_key)) {
    USHER_TRY(const crypto::PrivateKey key, keys.load(config, config.licence_key));
    return publish(key);
  }
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(crypto::NewKey::p256));
  USHER_TRY(const std::string pem, key.to_pem(keys.passphrase()));
  USHER_CHECK(write_file(file, pem, 0600));
  return publish(key);
}

media::PassphraseWrapper for_passphrase(const Keyring& keys) {
  return media::PassphraseWrapper(keys.passphrase().clone(), kCost);
}

Result<crypto::PrivateKey> load_vault_token(const Config& config, Keyring& keys) {
  if (config.vault_token.empty()) {
    return fail(Fault::bad_config, "vault key",
                "the vault key is for a key on a token, but keys.vault_token names none");
  }
  return keys.load(config, config.vault_token);
}

Result<> create_vault_key(const Config& config, Keyring& keys, Random& random) {
  const fs::path file = config.path_of(config.vault_key);
  if (config.vault_token.empty()) return media::create_vault_key(file, for_passphrase(keys), random);
  USHER_TRY(const crypto::PrivateKey key, load_vault_token(config, keys));
  USHER_CHECK(media::create_vault_key(file, media::PublicKeyWrapper(key.public_key()), random));
  USHER_CHECK(media::open_vault_key(file, media::PrivateKeyUnwrapper(key)));
  return {};
}

Result<> create_pseudonym_key(const fs::path& file, const crypto::Secret& passphrase, Random& random) {
  crypto::Secret key(identity::PseudonymKey::kSize);
  random.fill(key.expose_for_writing());
  const media::PassphraseWrapper wrapper(passphrase.clone(), kCost);
  USHER_TRY(const Bytes sealed, media::seal_small(key.expose(), pseudonym_key_id(), wrapper, random));
  return write_file(file, text_of(sealed), 0600);
}

}  // namespace

Result<> create_own_keys(const Config& config, Keyring& keys, Random& random) {
  for (const fs::path& file :
       {licence_file_of(config), config.path_of(config.vault_key), config.path_of(config.pseudonym_key)}) {
    if (fs::exists(file)) return fail(Fault::already_exists, "init: keys", file.string());
    USHER_CHECK(make_directory(file.parent_path()));
  }
  USHER_CHECK(create_licence_key(config, keys));
  USHER_CHECK(create_vault_key(config, keys, random));
  return create_pseudonym_key(config.path_of(config.pseudonym_key), keys.passphrase(), random);
}

bool is_key_there(const Config& config, const std::string& name) {
  std::error_code ignored;
  return identity::is_token_key(name) || fs::exists(config.path_of(name), ignored);
}

Result<KeyPair> load_pair(const Config& config, const std::string& certificates, const std::string& key,
                          Keyring& keys) {
  const fs::path file = config.path_of(certificates);
  USHER_TRY(const std::string pem, app::read_file(file, kMaxKeyFile));
  auto chain = identity::chain_from_pem(pem);
  if (!chain) return fail(chain.error().fault, "certificates", file.string());
  USHER_TRY(crypto::PrivateKey loaded, keys.load(config, key));
  if (loaded.public_key().fingerprint() != chain->front().key_fingerprint()) {
    return fail(Fault::bad_key, "key and certificate",
                printable(key) + " is not the key of the certificate " + file.string());
  }
  return KeyPair{*std::move(chain), std::make_shared<const crypto::PrivateKey>(std::move(loaded))};
}

Result<net::LicenceIssuer> load_licence_issuer(const Config& config, Keyring& keys) {
  USHER_TRY(crypto::PrivateKey key, keys.load(config, config.licence_key));
  net::LicenceIssuer issuer{.server_id = config.id, .signer = nullptr, .public_keys = {key.public_key().spki()}};
  for (const std::string& name : config.licence_retired) {
    USHER_TRY(Bytes retired, load_public(config.path_of(name)));
    issuer.public_keys.push_back(std::move(retired));
  }
  issuer.signer = std::make_shared<const crypto::PrivateKey>(std::move(key));
  return issuer;
}

Result<crypto::Secret> load_vault_key(const Config& config, Keyring& keys) {
  const fs::path file = config.path_of(config.vault_key);
  USHER_CHECK(check_private(file));
  USHER_TRY(const bool passphrase, media::vault_key_wants_passphrase(file));
  if (passphrase) return media::open_vault_key(file, media::PassphraseUnwrapper(keys.passphrase().clone()));
  USHER_TRY(crypto::PrivateKey key, load_vault_token(config, keys));
  return media::open_vault_key(file, media::PrivateKeyUnwrapper(std::move(key)));
}

Result<> seal_vault_key(const Config& config, Keyring& keys, bool for_token, Random& random) {
  const fs::path file = config.path_of(config.vault_key);
  USHER_CHECK(check_private(file));
  USHER_TRY(const bool passphrase, media::vault_key_wants_passphrase(file));
  const media::PassphraseUnwrapper with_passphrase(keys.passphrase().clone());
  if (passphrase && !for_token) {
    return media::reseal_vault_key(file, with_passphrase, for_passphrase(keys), with_passphrase, random);
  }
  USHER_TRY(const crypto::PrivateKey key, load_vault_token(config, keys));
  const media::PrivateKeyUnwrapper with_token(key);
  const media::Unwrapper& current = passphrase ? static_cast<const media::Unwrapper&>(with_passphrase) : with_token;
  if (!for_token) return media::reseal_vault_key(file, current, for_passphrase(keys), with_passphrase, random);
  return media::reseal_vault_key(file, current, media::PublicKeyWrapper(key.public_key()), with_token, random);
}

Result<identity::PseudonymKey> load_pseudonym_key(const Config& config, const Keyring& keys) {
  const fs::path file = config.path_of(config.pseudonym_key);
  USHER_CHECK(check_private(file));
  USHER_TRY(media::SourcePtr source, media::open_file(file));
  const media::PassphraseUnwrapper unwrapper(keys.passphrase().clone());
  auto key = media::open_small(std::move(source), pseudonym_key_id(), unwrapper, identity::PseudonymKey::kSize);
  if (!key) return fail(key.error().fault, key.error().where, file.string());
  if (key->size() != identity::PseudonymKey::kSize) return fail(Fault::bad_key, "pseudonym key: size", file.string());
  return identity::PseudonymKey(*key);
}

}  // namespace usher::usherd
