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

/// The file of a public licence key, beside the private one.
fs::path public_file(fs::path key_file) { return key_file.replace_extension(".pub"); }

Result<crypto::PrivateKey> load_key(const fs::path& file, const crypto::Secret& passphrase) {
  USHER_CHECK(check_private(file));
  USHER_TRY(const std::string pem, app::read_file(file, kMaxKeyFile));
  auto key = crypto::PrivateKey::from_pem(pem, passphrase);
  if (!key && key.error().about.empty()) key.error().about = file.string();
  return key;
}

Result<Bytes> load_public(const fs::path& file) {
  USHER_TRY(std::string text, app::read_file(file, kMaxKeyFile));
  while (text.ends_with('\n')) text.pop_back();
  const auto spki = from_base64url(text);
  if (!spki) return fail(Fault::malformed, "licence key: public", file.string());
  USHER_TRY(const crypto::PublicKey key, crypto::PublicKey::from_spki(*spki));
  return key.spki();
}

Result<> create_licence_key(const fs::path& file, const crypto::Secret& passphrase) {
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(crypto::NewKey::p256));
  USHER_TRY(const std::string pem, key.to_pem(passphrase));
  USHER_CHECK(write_file(file, pem, 0600));
  return write_file(public_file(file), to_base64url(key.public_key().spki()) + "\n", 0644);
}

Result<> create_pseudonym_key(const fs::path& file, const crypto::Secret& passphrase, Random& random) {
  crypto::Secret key(identity::PseudonymKey::kSize);
  random.fill(key.expose_for_writing());
  const media::PassphraseWrapper wrapper(passphrase.clone(), kCost);
  USHER_TRY(const Bytes sealed, media::seal_small(key.expose(), pseudonym_key_id(), wrapper, random));
  return write_file(file, text_of(sealed), 0600);
}

}  // namespace

Result<crypto::Secret> passphrase_of(const Config& config, const app::PassphraseSource& given, bool twice) {
  app::PassphraseSource source = given;
  if (source.file.empty() && source.descriptor < 0) source.file = config.path_of(config.passphrase_file);
  if (!source.file.empty()) {
    for (const fs::path& home : {config.file.parent_path(), config.path_of(config.data)}) {
      if (is_below(source.file, home)) {
        return fail(Fault::bad_config, "passphrase: inside the home",
                    "the passphrase file " + source.file.string() + " lies inside the home " + home.string() +
                        ", beside what it protects; keep it elsewhere");
      }
    }
    USHER_CHECK(check_passphrase_file(source.file));
  }
  return app::read_passphrase(source, "Passphrase of the server's keys: ", twice);
}

Result<> create_own_keys(const Config& config, const crypto::Secret& passphrase, Random& random) {
  for (const std::string* name : {&config.licence_key, &config.vault_key, &config.pseudonym_key}) {
    const fs::path file = config.path_of(*name);
    if (fs::exists(file)) return fail(Fault::already_exists, "init: keys", file.string());
    USHER_CHECK(make_directory(file.parent_path()));
  }
  USHER_CHECK(create_licence_key(config.path_of(config.licence_key), passphrase));
  USHER_CHECK(media::create_vault_key(config.path_of(config.vault_key), passphrase, random, kCost));
  return create_pseudonym_key(config.path_of(config.pseudonym_key), passphrase, random);
}

Result<KeyPair> load_pair(const fs::path& certificates, const fs::path& key, const crypto::Secret& passphrase) {
  USHER_TRY(const std::string pem, app::read_file(certificates, kMaxKeyFile));
  auto chain = identity::chain_from_pem(pem);
  if (!chain) return fail(chain.error().fault, "certificates", certificates.string());
  USHER_TRY(crypto::PrivateKey loaded, load_key(key, passphrase));
  if (loaded.public_key().fingerprint() != chain->front().key_fingerprint()) {
    return fail(Fault::bad_key, "key and certificate",
                key.string() + " is not the key of the certificate " + certificates.string());
  }
  return KeyPair{*std::move(chain), std::make_shared<const crypto::PrivateKey>(std::move(loaded))};
}

Result<net::LicenceIssuer> load_licence_issuer(const Config& config, const crypto::Secret& passphrase) {
  USHER_TRY(crypto::PrivateKey key, load_key(config.path_of(config.licence_key), passphrase));
  net::LicenceIssuer issuer{.server_id = config.id, .signer = nullptr, .public_keys = {key.public_key().spki()}};
  for (const std::string& name : config.licence_retired) {
    USHER_TRY(Bytes retired, load_public(config.path_of(name)));
    issuer.public_keys.push_back(std::move(retired));
  }
  issuer.signer = std::make_shared<const crypto::PrivateKey>(std::move(key));
  return issuer;
}

Result<crypto::Secret> load_vault_key(const Config& config, const crypto::Secret& passphrase) {
  const fs::path file = config.path_of(config.vault_key);
  USHER_CHECK(check_private(file));
  return media::open_vault_key(file, passphrase);
}

Result<identity::PseudonymKey> load_pseudonym_key(const Config& config, const crypto::Secret& passphrase) {
  const fs::path file = config.path_of(config.pseudonym_key);
  USHER_CHECK(check_private(file));
  USHER_TRY(media::SourcePtr source, media::open_file(file));
  const media::PassphraseUnwrapper unwrapper(passphrase.clone());
  auto key = media::open_small(std::move(source), pseudonym_key_id(), unwrapper, identity::PseudonymKey::kSize);
  if (!key) return fail(key.error().fault, key.error().where, file.string());
  if (key->size() != identity::PseudonymKey::kSize) return fail(Fault::bad_key, "pseudonym key: size", file.string());
  return identity::PseudonymKey(*key);
}

}  // namespace usher::usherd
