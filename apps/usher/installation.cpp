#include "installation.h"

#include "base/encoding.h"
#include "base/file.h"
#include "card/token_key.h"
#include "console.h"
#include "kept_login.h"

namespace usher::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxPem = 1 << 20;  // bytes of a file with certificates or a key

/// The passphrase of a key file, or the PIN of the token that holds the key.
app::PassphraseSource passphrase_source(const Options& options, const Config& config) {
  app::PassphraseSource source = options.passphrase;
  if (source.file.empty() && source.descriptor < 0) source.file = config.path_of(config.passphrase_file);
  return source;
}

Result<crypto::PrivateKey> load_token_key(const Options& options, const Config& config) {
  const app::PassphraseSource source = passphrase_source(options, config);
  const auto open = [&](bool last_try) {
    auto pins = std::make_shared<card::TokenPins>(
        [source](const std::string& token) { return app::read_pin(source, "PIN of the token " + token + ": "); });
    return card::open_token_key(
        {.uri = config.key, .module = config.module, .pins = std::move(pins), .last_try = last_try});
  };
  return app::until_right(source, [&] {
    auto key = open(options.last_try);
    const bool last = !key && key.error().fault == Fault::pin_last_try;
    return last && confirm_last_try(source, "token") ? open(true) : std::move(key);
  });
}

Result<crypto::PrivateKey> load_key_file(const Options& options, const Config& config) {
  const fs::path file = config.path_of(config.key);
  USHER_TRY(const std::string pem, read_file(file, kMaxPem));
  const app::PassphraseSource source = passphrase_source(options, config);
  return app::until_right(source, [&]() -> Result<crypto::PrivateKey> {
    USHER_TRY(const crypto::Secret passphrase,
              app::read_passphrase(source, "Passphrase of this installation's key (" + file.string() + "): "));
    auto key = crypto::PrivateKey::from_pem(pem, passphrase);
    if (!key) {
      const bool form = key.error().fault == Fault::malformed;
      return fail(key.error().fault, "installation: key", file.string(),
                  form ? "Name a PEM file with an encrypted private key (-----BEGIN ENCRYPTED PRIVATE KEY-----)."
                       : std::move(key.error().advice));
    }
    return key;
  });
}

}  // namespace

fs::path lists_file_of(const fs::path& data) { return data / "revocation-lists.bin"; }

app::PathOf paths_of(const Config& config) {
  return [&config](const std::string& name) { return config.path_of(name); };
}

Result<std::shared_ptr<const pki::TrustStore>> load_trust(const Config& config, const app::TrustKeys& keys,
                                                          pki::Role role, const fs::path& data,
                                                          std::vector<pki::Crl> fetched) {
  const std::string name(name_of(role));
  if (keys.anchors.empty()) {
    return fail(Fault::bad_config, "trust",
                "trust." + name + ".anchors names no file, so that no " + name + " can be trusted");
  }
  USHER_TRY(pki::TrustConfig trust, app::load_trust_config(keys, role, paths_of(config)));
  trust.fetched = std::move(fetched);
  const fs::path marks = data / ("revocation-" + name + ".txt");
  pki::RevocationFloor floor;
  std::error_code ignored;
  if (fs::exists(marks, ignored)) {
    USHER_TRY(const std::string text, read_file(marks, kMaxPem));
    auto known = pki::RevocationFloor::from_text(text);
    if (!known) {
      return fail(
          known.error().fault, "trust: marks", marks.string(),
          "It records how new the lists are that were seen; without it an older list would be accepted again. Restore "
          "it from a backup, or remove it if there is no backup.");
    }
    floor = *std::move(known);
  }
  auto made = pki::TrustStore::make(std::move(trust), floor);
  if (!made) {
    made.error().about = "trust." + name + (made.error().about.empty() ? "" : ": " + made.error().about);
    return made;
  }
  const pki::RevocationFloor raised = (*made)->raised(floor);
  if (!(raised == floor)) USHER_CHECK(replace_file(marks, raised.to_text()));
  return made;
}

Result<pki::ServerName> server_name_of(const Config& config, const std::string& host) {
  if (config.server_key.empty()) {
    return pki::ServerName::from_host(config.server_name.empty() ? host : config.server_name);
  }
  const auto pin = from_hex(config.server_key);
  if (!pin || pin->size() != 32) {
    return fail(Fault::bad_config, "server key", "connection.server_key must be 64 hexadecimal digits");
  }
  return pki::ServerName::pinned(array_of<32>(*pin));
}

Result<crypto::PrivateKey> load_key(const Options& options, const Config& config, Kept kept) {
  if (kept == Kept::use) {
    if (const auto login = kept_login(options, config)) return login->installation();
  }
  return card::is_token_key(config.key) ? load_token_key(options, config) : load_key_file(options, config);
}

Result<Installation> load_installation(const Options& options, const Config& config, Kept kept) {
  const fs::path file = config.path_of(config.certificate);
  USHER_TRY(const std::string pem, read_file(file, kMaxPem));
  auto chain = pki::chain_from_pem(pem);
  if (!chain)
    return fail(chain.error().fault, "installation: certificate", file.string(),
                "Name PEM files with certificates (-----BEGIN CERTIFICATE-----).");
  USHER_TRY(crypto::PrivateKey key, load_key(options, config, kept));
  USHER_TRY(const crypto::PublicKey certified, chain->front().public_key());
  if (!same(certified.spki(), key.public_key().spki())) {
    return fail(Fault::bad_key, "installation: pair", printable(config.key) + " is not the key of " + file.string(),
                "Name the key and the certificate that were made together.");
  }
  return Installation{*std::move(chain), std::move(key)};
}

}  // namespace usher::cli
