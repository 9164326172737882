#include "session.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "base/encoding.h"
#include "client/files.h"
#include "common/files.h"
#include "console.h"
#include "login.h"

namespace usher::listening {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxPem = 1 << 20;  // bytes of a file with certificates or a key

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// $XDG_…_HOME/usher, else ~/<fallback>/usher.
Result<fs::path> xdg_folder(const char* name, const char* fallback) {
  if (const std::string folder = variable(name); folder.starts_with('/')) return fs::path(folder) / "usher";
  const std::string home = variable("HOME");
  if (home.empty()) return fail(Fault::bad_usage, "home", "neither --home nor HOME is set");
  return fs::path(home) / fallback / "usher";
}

fs::path home_of(const Options& options) {
  return !options.home.empty() ? options.home : fs::path(variable("USHER_HOME"));
}

app::PathOf paths_of(const Config& config) {
  return [&config](const std::string& name) { return config.path_of(name); };
}

/// Keeps the newest revocation lists that were seen, so that an older one is never taken instead.
Result<std::shared_ptr<const identity::TrustStore>> load_trust(const Config& config, const app::TrustKeys& keys,
                                                               identity::Role role, const fs::path& data) {
  const std::string name(name_of(role));
  if (keys.anchors.empty()) {
    return fail(Fault::bad_config, "trust",
                "trust." + name + ".anchors names no file, so that no " + name + " can be trusted");
  }
  USHER_TRY(identity::TrustConfig trust, app::load_trust_config(keys, role, paths_of(config)));
  const fs::path marks = data / ("revocation-" + name + ".txt");
  identity::RevocationFloor floor;
  std::error_code ignored;
  if (fs::exists(marks, ignored)) {
    USHER_TRY(const std::string text, app::read_file(marks, kMaxPem));
    auto known = identity::RevocationFloor::from_text(text);
    if (!known) return fail(known.error().fault, "trust: marks", marks.string());
    floor = *std::move(known);
  }
  auto made = identity::TrustStore::make(std::move(trust), floor);
  if (!made) {
    made.error().about = "trust." + name + (made.error().about.empty() ? "" : ": " + made.error().about);
    return made;
  }
  const identity::RevocationFloor raised = (*made)->raised(floor);
  if (!(raised == floor)) USHER_CHECK(client::replace_file(marks, raised.to_text()));
  return made;
}

Result<identity::ServerName> server_name_of(const Config& config, const client::HttpTransport& transport) {
  if (config.server_key.empty()) {
    return identity::ServerName::from_host(config.server_name.empty() ? transport.host() : config.server_name);
  }
  const auto pin = from_hex(config.server_key);
  if (!pin || pin->size() != 32) {
    return fail(Fault::bad_config, "server key", "connection.server_key must be 64 hexadecimal digits");
  }
  return identity::ServerName::pinned(array_of<32>(*pin));
}

Result<std::shared_ptr<channel::ClientSettings>> load_installation(const Options& options, const Config& config,
                                                                   identity::ServerName name) {
  const fs::path certificate_file = config.path_of(config.certificate);
  const fs::path key_file = config.path_of(config.key);
  USHER_TRY(const std::string chain_pem, app::read_file(certificate_file, kMaxPem));
  auto chain = identity::chain_from_pem(chain_pem);
  if (!chain) return fail(chain.error().fault, "installation: certificate", certificate_file.string());
  USHER_TRY(const std::string key_pem, app::read_file(key_file, kMaxPem));
  app::PassphraseSource source = options.passphrase;
  if (source.file.empty() && source.descriptor < 0) source.file = config.path_of(config.passphrase_file);
  USHER_TRY(const crypto::Secret passphrase,
            app::read_passphrase(source, "Passphrase of this installation's key (" + key_file.string() + "): "));
  auto key = crypto::PrivateKey::from_pem(key_pem, passphrase);
  if (!key) return fail(key.error().fault, "installation: key", key_file.string());
  USHER_TRY(const crypto::PublicKey certified, chain->front().public_key());
  if (!same(certified.spki(), key->public_key().spki())) {
    return fail(Fault::bad_key, "installation: pair",
                key_file.string() + " is not the key of " + certificate_file.string());
  }
  auto settings = std::make_shared<channel::ClientSettings>(
      channel::ClientSettings{.chain = *std::move(chain), .signer = {}, .servers = {}, .name = std::move(name)});
  settings->signer = std::make_shared<crypto::PrivateKey>(*std::move(key));
  if (!config.suites.empty()) {
    USHER_TRY(settings->suites, channel::suite_order(config.suites));
  }
  if (!config.groups.empty()) {
    USHER_TRY(settings->groups, channel::group_order(config.groups));
  }
  return settings;
}

}  // namespace

Result<fs::path> data_folder(const Options& options) {
  if (fs::path home = home_of(options); !home.empty()) return home;
  return xdg_folder("XDG_DATA_HOME", ".local/share");
}

Result<Config> load_config(const Options& options, char** environment) {
  Config config;
  fs::path file = options.config_file;
  if (file.empty()) {
    const fs::path home = home_of(options);
    if (home.empty()) {
      USHER_TRY(const fs::path folder, xdg_folder("XDG_CONFIG_HOME", ".config"));
      file = folder / "usher.toml";
    } else {
      file = home / "usher.toml";
    }
  }
  std::error_code ignored;
  config.folder = fs::absolute(file, ignored).parent_path();
  const app::Settings settings = settings_of(config);
  // Without a file flags and environment may say all; a file that was named has to be there.
  if (!options.config_file.empty() || fs::exists(file, ignored)) USHER_CHECK(settings.read_toml(file));
  USHER_CHECK(read_environment(config, environment));
  for (const std::string& text : options.set) {
    USHER_TRY(const app::Setting setting, app::setting_from_text(text));
    USHER_CHECK(settings.apply({&setting, 1}));
  }
  USHER_CHECK(settings.apply(options.flags));
  return config;
}

Result<std::unique_ptr<Session>> Session::open(const Options& options, const Config& config,
                                               const std::atomic<bool>& interrupted, const Clock& clock,
                                               Random& random) {
  std::unique_ptr<Session> session(new Session);
  USHER_TRY(const fs::path data, data_folder(options));
  USHER_CHECK(client::make_private_directory(data));
  USHER_TRY(session->transport_, client::HttpTransport::create(
                                     {.url = config.url, .proxy = config.proxy, .user_agent = "usher/" USHER_VERSION}));
  USHER_TRY(identity::ServerName name, server_name_of(config, *session->transport_));
  USHER_TRY(const auto servers, load_trust(config, config.server, identity::Role::server, data));
  USHER_TRY(const auto distributors, load_trust(config, config.distributor, identity::Role::distributor, data));
  USHER_TRY(const identity::Chain sub_cas, app::load_certificates(config.card_intermediates, paths_of(config)));
  USHER_TRY(const auto settings, load_installation(options, config, std::move(name)));
  settings->servers = servers;
  const LoginSource card{.config = config, .options = options, .intermediates = sub_cas, .random = random};
  session->engine_ = std::make_unique<client::Engine>(
      *session->transport_,
      client::EngineOptions{.settings = settings,
                            .distributors = distributors,
                            .login = [card](const identity::LoginTerms& terms) { return log_in(card, terms); },
                            .note =
                                [quiet = options.quiet](std::string_view text) {
                                  if (!quiet) tell(text);
                                },
                            .patience = Seconds(config.retry_seconds),
                            .cancelled = &interrupted},
      random, clock);
  USHER_CHECK(session->engine_->connect());
  USHER_TRY(client::Wallet wallet, client::Wallet::open(data, session->engine_->person(), clock));
  session->wallet_ = std::make_unique<client::Wallet>(std::move(wallet));
  session->listener_ = std::make_unique<client::LiveListener>(*session->engine_, *session->wallet_, clock, config.url);
  return session;
}

Session::~Session() {
  if (engine_) engine_->exit();
}

}  // namespace usher::listening
