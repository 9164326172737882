#include "usherd/home/key_files.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/os_error.h"
#include "licence/licence.h"
#include "media/sealed.h"
#include "media/vault.h"
#include "usherd/home/file_permissions.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxKeyFile = 64 << 10;
constexpr std::size_t kMaxLicenceKeys = 8;  // maximum that a listener receives
// The same cost as the PKCS#8 keys, which the same passphrase opens: 32 MiB of memory, so that an import stays below 64
// MiB.
constexpr crypto::ScryptCost kCost{.log2_n = 15, .r = 8, .p = 1};

Id128 pseudonym_key_id() { return media::companion_id("pseudonym key", Id128{}); }

/// The private licence key's file; for a key on a token, the default file.
fs::path licence_file_of(const Config& config) {
  return config.path_of(card::is_token_key(config.licence_key) ? Config().licence_key : config.licence_key);
}
fs::path retired_directory_of(const Config& config) { return licence_file_of(config).parent_path() / "retired"; }
/// The file of a public licence key, next to the private one.
fs::path public_file(fs::path key_file) { return key_file.replace_extension(".pub"); }

/// keys.licence_retired, and the keys that rotation has stored next to the licence key.
Result<std::vector<fs::path>> retired_files(const Config& config) {
  std::vector<fs::path> out;
  out.reserve(config.licence_retired.size());
  for (const std::string& name : config.licence_retired) out.push_back(config.path_of(name));
  const fs::path directory = retired_directory_of(config);
  std::error_code error;
  if (!fs::exists(directory, error)) return out;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (entries->path().extension() == ".pub") out.push_back(entries->path());
  }
  if (error) return fail(fault_of_errno(error.value()), "licence keys: retired", directory.string());
  std::ranges::sort(out);
  return out;
}

Result<Bytes> load_public(const fs::path& file) {
  USHER_TRY(std::string text, read_file(file, kMaxKeyFile));
  while (text.ends_with('\n')) text.pop_back();
  const auto spki = from_base64url(text);
  if (!spki)
    return fail(
        Fault::malformed, "licence key: public", file.string(),
        "Restore it from a backup: it is the public half of a retired licence key (SubjectPublicKeyInfo, base64url).");
  USHER_TRY(const crypto::PublicKey key, crypto::PublicKey::from_spki(*spki));
  return key.spki();
}

Result<> create_licence_key(const Config& config, Keyring& keys) {
  const fs::path file = licence_file_of(config);
  const auto publish = [&](const crypto::PrivateKey& key) {
    return create_file(public_file(file), to_base64url(key.public_key().spki()) + "\n", 0644);
  };
  if (card::is_token_key(config.licence_key)) {
    USHER_TRY(const crypto::PrivateKey key, keys.load(config, config.licence_key));
    return publish(key);
  }
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(crypto::NewKey::p256));
  USHER_TRY(const std::string pem, key.to_pem(keys.passphrase()));
  USHER_CHECK(create_file(file, pem));
  return publish(key);
}

/// Replaces the old key, after the new one was opened again as a test.
Result<crypto::PublicKey> replace_licence_key(const Config& config, Keyring& keys) {
  const fs::path file = licence_file_of(config);
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(crypto::NewKey::p256));
  USHER_TRY(const std::string pem, key.to_pem(keys.passphrase()));
  USHER_TRY(const crypto::PrivateKey again, crypto::PrivateKey::from_pem(pem, keys.passphrase()));
  if (!same(again.public_key().spki(), key.public_key().spki()))
    return fail(Fault::bad_key, "licence key", file.string());
  USHER_CHECK(replace_file(file, pem));
  USHER_CHECK(replace_file(public_file(file), to_base64url(key.public_key().spki()) + "\n", 0644));
  return key.public_key();
}

/// The key on the token, which must differ from `current`.
Result<crypto::PublicKey> successor_on_token(const Config& config, Keyring& keys, const std::string& uri,
                                             const Bytes& current) {
  USHER_TRY(const crypto::PrivateKey next, keys.load(config, uri));
  if (same(next.public_key().spki(), current)) {
    return fail(Fault::bad_usage, "rotate", "--to names the key that signs already");
  }
  return next.public_key();
}

media::PassphraseWrapper for_passphrase(const Keyring& keys) {
  return media::PassphraseWrapper(keys.passphrase().clone(), kCost);
}

Result<crypto::PrivateKey> load_vault_token(const Config& config, Keyring& keys) {
  if (config.vault_token.empty()) {
    return fail(Fault::bad_config, "vault key", "the vault key is for a key on a token, but keys.vault_token is empty");
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
  crypto::Secret key(person::PseudonymKey::kSize);
  random.fill(key.expose_for_writing());
  const media::PassphraseWrapper wrapper(passphrase.clone(), kCost);
  USHER_TRY(const Bytes sealed, media::seal_small(key.expose(), pseudonym_key_id(), wrapper, random));
  return create_file(file, text_of(sealed));
}

}  // namespace

Result<> create_own_keys(const Config& config, Keyring& keys, Random& random) {
  for (const fs::path& file :
       {licence_file_of(config), config.path_of(config.vault_key), config.path_of(config.pseudonym_key)}) {
    if (fs::exists(file))
      return fail(Fault::already_exists, "init: keys", file.string(),
                  "Nothing was changed. Name another directory with --home, or keep the keys that are there.");
    USHER_CHECK(make_private_directory(file.parent_path()));
  }
  // First the step that depends on another device: a missing token leaves no file that blocks the next try.
  if (!config.vault_token.empty()) USHER_CHECK(load_vault_token(config, keys));
  USHER_CHECK(create_licence_key(config, keys));
  USHER_CHECK(create_vault_key(config, keys, random));
  return create_pseudonym_key(config.path_of(config.pseudonym_key), keys.passphrase(), random);
}

bool is_key_there(const Config& config, const std::string& name) {
  std::error_code ignored;
  return card::is_token_key(name) || fs::exists(config.path_of(name), ignored);
}

Result<pki::Chain> load_chain(const Config& config, const std::string& certificates) {
  const fs::path file = config.path_of(certificates);
  USHER_TRY(const std::string pem, read_file(file, kMaxKeyFile));
  auto chain = pki::chain_from_pem(pem);
  if (!chain) return fail(chain.error().fault, "certificates", file.string());
  return chain;
}

Result<KeyPair> load_pair(const Config& config, const std::string& certificates, const std::string& key,
                          Keyring& keys) {
  USHER_TRY(pki::Chain chain, load_chain(config, certificates));
  USHER_TRY(crypto::PrivateKey loaded, keys.load(config, key));
  if (loaded.public_key().fingerprint() != chain.front().key_fingerprint()) {
    return fail(Fault::bad_key, "key and certificate",
                printable(key) + " is not the key of the certificate " + config.path_of(certificates).string(),
                "Name the key and the certificate that were made together.");
  }
  return KeyPair{std::move(chain), std::make_shared<const crypto::PrivateKey>(std::move(loaded))};
}

Result<service::LicenceIssuer> load_licence_issuer(const Config& config, Keyring& keys) {
  USHER_TRY(crypto::PrivateKey key, keys.load(config, config.licence_key));
  service::LicenceIssuer issuer{.server_id = config.id, .signer = nullptr, .public_keys = {key.public_key().spki()}};
  USHER_TRY(const std::vector<fs::path> retired, retired_files(config));
  for (const fs::path& file : retired) {
    USHER_TRY(Bytes spki, load_public(file));
    // After an interrupted rotation, the signing key is among the retired ones too.
    if (std::ranges::find(issuer.public_keys, spki) == issuer.public_keys.end())
      issuer.public_keys.push_back(std::move(spki));
  }
  if (issuer.public_keys.size() > kMaxLicenceKeys) {
    return fail(Fault::bad_config, "licence keys",
                "more than 7 retired licence keys: take those away whose licences have all ended");
  }
  issuer.signer = std::make_shared<const crypto::PrivateKey>(std::move(key));
  return issuer;
}

Result<RotatedKey> rotate_licence_key(const Config& config, Keyring& keys, const std::string& to) {
  if (to.empty() && card::is_token_key(config.licence_key)) {
    return fail(Fault::bad_usage, "rotate", "the licence key is on a token: name its successor with --to pkcs11:…");
  }
  if (!to.empty() && !card::is_token_key(to)) return fail(Fault::bad_usage, "rotate", "--to takes a token key's URI");
  USHER_TRY(const service::LicenceIssuer issuer, load_licence_issuer(config, keys));
  if (issuer.public_keys.size() == kMaxLicenceKeys) {
    return fail(Fault::bad_config, "rotate",
                "there are 7 retired licence keys: take those away whose licences have all ended");
  }
  std::optional<crypto::PublicKey> next;
  if (!to.empty()) {
    USHER_TRY(next, successor_on_token(config, keys, to, issuer.public_keys.front()));
  }
  const crypto::PublicKey& old = issuer.signer->public_key();
  const fs::path directory = retired_directory_of(config);
  fs::path retired = directory / (to_hex(View(old.fingerprint()).first(8)) + ".pub");
  USHER_CHECK(make_private_directory(directory));
  // First: from here on every licence that was signed can be verified, whatever happens next.
  USHER_CHECK(replace_file(retired, to_base64url(old.spki()) + "\n", 0644));
  if (!next) {
    USHER_TRY(next, replace_licence_key(config, keys));
  }
  return RotatedKey{std::move(retired), licence::key_id_of(*next)};
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

Result<person::PseudonymKey> load_pseudonym_key(const Config& config, const Keyring& keys) {
  const fs::path file = config.path_of(config.pseudonym_key);
  USHER_CHECK(check_private(file));
  USHER_TRY(media::SourcePtr source, media::open_file(file));
  const media::PassphraseUnwrapper unwrapper(keys.passphrase().clone());
  auto key = media::open_small(std::move(source), pseudonym_key_id(), unwrapper, person::PseudonymKey::kSize);
  if (!key) return fail(key.error().fault, key.error().where, file.string());
  if (key->size() != person::PseudonymKey::kSize)
    return fail(Fault::bad_key, "pseudonym key: size", file.string(),
                "Restore it from a backup: with another key every person loses their licences.");
  return person::PseudonymKey(*key);
}

}  // namespace usher::usherd
