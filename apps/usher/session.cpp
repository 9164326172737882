#include "session.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "base/file.h"
#include "client/engine/fetched_lists.h"
#include "console.h"
#include "installation.h"
#include "login.h"

namespace usher::cli {
namespace fs = std::filesystem;
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// $XDG_…_HOME/usher, otherwise ~/<fallback>/usher.
Result<fs::path> xdg_folder(const char* name, const char* fallback) {
  if (const std::string folder = variable(name); folder.starts_with('/')) return fs::path(folder) / "usher";
  const std::string home = variable("HOME");
  if (home.empty()) return fail(Fault::bad_usage, "home", "neither --home nor HOME is set");
  return fs::path(home) / fallback / "usher";
}

fs::path home_of(const Options& options) {
  return !options.home.empty() ? options.home : fs::path(variable("USHER_HOME"));
}

/// The channel's settings for this installation and the server.
Result<std::shared_ptr<channel::ClientSettings>> channel_settings(pki::Chain chain, const Config& config,
                                                                  pki::ServerName name) {
  auto settings = std::make_shared<channel::ClientSettings>(
      channel::ClientSettings{.chain = std::move(chain), .signer = {}, .servers = {}, .name = std::move(name)});
  if (!config.suites.empty()) {
    USHER_TRY(settings->suites, channel::suite_order(config.suites));
  }
  if (!config.groups.empty()) {
    USHER_TRY(settings->groups, channel::group_order(config.groups));
  }
  return settings;
}

bool is_for_want_of_lists(Fault fault) {
  return fault == Fault::revocation_unknown || fault == Fault::crl_expired || fault == Fault::crl_rollback;
}

/// The authorities whose signatures make a list from the server acceptable.
Result<pki::Chain> authorities_of(const Config& config) {
  pki::Chain all;
  for (const app::TrustKeys* keys : {&config.server, &config.distributor}) {
    for (const app::Texts* files : {&keys->anchors, &keys->intermediates}) {
      USHER_TRY(const pki::Chain some, app::load_certificates(*files, paths_of(config)));
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
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
  config.file = file;
  const app::Settings settings = settings_of(config);
  // The default file may be missing, because flags and environment can set everything. A file named with --config must
  // exist.
  if (!options.config_file.empty() || fs::exists(file, ignored)) USHER_CHECK(settings.read_toml(file));
  USHER_CHECK(read_environment(config, environment));
  for (const std::string& text : options.set) {
    USHER_TRY(const app::Setting setting, app::setting_from_text(text));
    USHER_CHECK(settings.apply({&setting, 1}));
  }
  USHER_CHECK(settings.apply(options.flags));
  return config;
}

Result<> check_set_up(const Config& config) {
  std::error_code ignored;
  const fs::path certificate = config.path_of(config.certificate);
  if (fs::exists(config.file, ignored) || fs::exists(certificate, ignored)) return {};
  return fail(Fault::not_set_up, "configuration",
              "there is neither " + config.file.string() + " nor the installation's certificate " +
                  certificate.string() + "; docs/guide/listening.md, \"Set up\", says what they hold");
}

struct PersonConnection::Parts {
  const Options& options;
  const Config& config;
  const fs::path& data;
  std::shared_ptr<channel::ClientSettings> settings;
  card::CardOptions card;
  const std::atomic<bool>& interrupted;
  const Clock& clock;
  Random& random;
  Kept kept;
  Gone gone;
};

Result<> PersonConnection::try_to_connect(const Parts& p, const std::vector<pki::Crl>& fetched) {
  USHER_TRY(const auto servers, load_trust(p.config, p.config.server, pki::Role::server, p.data, fetched));
  USHER_TRY(const auto distributors,
            load_trust(p.config, p.config.distributor, pki::Role::distributor, p.data, fetched));
  const auto settings = std::make_shared<channel::ClientSettings>(*p.settings);
  settings->servers = servers;
  const LoginSource source{.config = p.config,
                           .options = p.options,
                           .card = p.card,
                           .watch = std::make_shared<card::CardWatch>(),
                           .kept_watch = std::make_shared<login::LoginWatch>(),
                           .random = p.random,
                           .kept = p.kept,
                           .gone = p.gone};
  engine_ =
      std::make_unique<client::Engine>(*transport_,
                                       client::EngineOptions{.settings = settings,
                                                             .distributors = distributors,
                                                             .login = [this, source](const person::LoginTerms& terms)
                                                                 -> Result<std::shared_ptr<const person::PersonLogin>> {
                                                               USHER_TRY(person_, log_in(source, terms));
                                                               return person_;
                                                             },
                                                             .note =
                                                                 [quiet = p.options.quiet](std::string_view text) {
                                                                   if (!quiet) tell(text);
                                                                 },
                                                             .patience = Seconds(p.config.retry_seconds),
                                                             .cancelled = &p.interrupted},
                                       p.random, p.clock);
  return engine_->connect();
}

Result<> PersonConnection::connect(const Parts& p) {
  client::KeptLists kept(lists_file_of(p.data));
  const auto ask = [&]() -> Result<> {
    USHER_TRY(auto lists, client::ask_for_lists(*transport_, [&] { return p.interrupted.load(); }));
    USHER_TRY(const pki::Chain authorities, authorities_of(p.config));
    return kept.take(std::move(lists), authorities, p.clock.now());
  };
  const bool asked = kept.is_old(p.clock.now()) && ask().has_value();
  auto connected = try_to_connect(p, kept.lists());
  if (connected || asked || !is_for_want_of_lists(connected.error().fault) || !ask()) return connected;
  return try_to_connect(p, kept.lists());
}

Result<std::unique_ptr<PersonConnection>> PersonConnection::open(const Options& options, const Config& config,
                                                                 const std::atomic<bool>& interrupted,
                                                                 const Clock& clock, Random& random, Kept kept,
                                                                 Gone gone) {
  USHER_CHECK(check_set_up(config));
  std::unique_ptr<PersonConnection> session(new PersonConnection);
  USHER_TRY(const fs::path data, data_folder(options));
  USHER_CHECK(make_private_directory(data));
  USHER_TRY(session->transport_, client::HttpTransport::create(
                                     {.url = config.url, .proxy = config.proxy, .user_agent = "usher/" USHER_VERSION}));
  USHER_TRY(pki::ServerName name, server_name_of(config, session->transport_->host()));
  USHER_TRY(card::CardOptions card, card_options(config));
  card.now = clock.now();
  card.silent = kept == Kept::pass_over;
  if (has_terminal()) card.choose = choose_certificate;
  USHER_TRY(Installation own, load_installation(options, config, kept));
  session->key_ = std::make_shared<const crypto::PrivateKey>(std::move(own.key));
  USHER_TRY(auto settings, channel_settings(std::move(own.chain), config, std::move(name)));
  settings->signer = session->key_;
  const Hash256 installation = settings->chain.front().key_fingerprint();
  USHER_CHECK(session->connect({.options = options,
                                .config = config,
                                .data = data,
                                .settings = std::move(settings),
                                .card = std::move(card),
                                .interrupted = interrupted,
                                .clock = clock,
                                .random = random,
                                .kept = kept,
                                .gone = gone ? std::move(gone) : Gone(Interrupts::stop)}));
  USHER_TRY(client::Wallet wallet, client::Wallet::open(data, session->engine_->person(), installation, clock));
  session->wallet_ = std::make_unique<client::Wallet>(std::move(wallet));
  session->listener_ = std::make_unique<client::LiveListener>(*session->engine_, *session->wallet_, clock, config.url);
  return session;
}

void PersonConnection::leave() {
  if (engine_) engine_->exit();
}

PersonConnection::~PersonConnection() { leave(); }

}  // namespace usher::cli
