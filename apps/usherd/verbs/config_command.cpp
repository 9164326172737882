// usherd config: check and show.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/os_error.h"
#include "card/token_key.h"
#include "common/json.h"
#include "common/report.h"
#include "server/trust/readiness.h"
#include "usherd/config/file_keys.h"
#include "usherd/config/trust_files.h"
#include "usherd/home/disk.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"
#include "usherd/home/owner.h"

namespace usher::usherd {
namespace {

bool is_of_all_keys(Fault fault) {
  static constexpr std::array kOfAll{Fault::wrong_pin,   Fault::pin_locked,     Fault::pin_last_try,
                                     Fault::pin_invalid, Fault::module_missing, Fault::module_failed};
  return std::ranges::find(kOfAll, fault) != kOfAll.end();
}

/// Checks everything that `serve` would read, without changes. Collects all errors.
class Check {
 public:
  explicit Check(const Context& context) : context_(context), config_(load_config(context, problems_)) {}

  [[nodiscard]] Result<> run();

 private:
  template <class T>
  bool took(const Result<T>& result) {
    if (!result) problems_.push_back(result.error());
    return result.has_value();
  }
  /// For a key. A wrong PIN or module affects every key on a token, so it is reported only once.
  template <class T>
  bool took_key(const std::string& name, const Result<T>& result) {
    if (result || !card::is_token_key(name) || !is_of_all_keys(result.error().fault)) return took(result);
    if (token_fault_ == result.error().fault) return false;
    token_fault_ = result.error().fault;
    return took(result);
  }
  void say(const std::string& fact);
  void warn(const std::string& what);
  void open_keys();
  void check_keys();
  void check_role_of(const std::string& what, const std::string& file, const pki::Certificate& leaf, pki::Role role);
  void check_pairs(Keyring& keys);
  void check_files(Keyring& keys);
  void check_trust();
  void check_store();
  void check_endings();
  void check_gaps();
  [[nodiscard]] Result<> verdict();

  const Context& context_;
  boost::json::array facts_;  // with --json: the lines that are printed otherwise
  boost::json::array warnings_;
  boost::json::array ends_;
  Problems problems_;
  std::optional<Fault> token_fault_;
  const Config config_;
  server::Authorities authorities_;
  server::Expiries endings_;
  std::unique_ptr<store::Store> store_;  // nullptr: does not exist yet, or cannot be read
  std::unique_ptr<Keyring> keys_;        // nullptr: not available
  pki::Chain own_;                       // the server's certificates
};

void Check::say(const std::string& fact) {
  if (!context_.json) std::printf("%s\n", fact.c_str());
  facts_.emplace_back(fact);
}

void Check::warn(const std::string& what) {
  if (!context_.json) std::printf("  warning: %s\n", what.c_str());
  warnings_.emplace_back(what);
}

Result<> Check::run() {
  if (!problems_.empty() && problems_.front().fault == Fault::not_set_up) return app::first_of(problems_);
  // If the file cannot be read, its values are unknown. All further checks would be about the defaults.
  const auto is_unread = [](const Error& error) {
    return error.where == app::kSyntax || error.where == app::kUnreadable;
  };
  if (std::ranges::any_of(problems_, is_unread)) return verdict();
  check(config_, problems_);
  if (!context_.json) std::printf("configuration: %s\n", config_.file.c_str());
  open_keys();                   // files that only root may read, before the process becomes the home's owner
  took(work_as_owner(config_));  // the checks after this find files that the server cannot read
  took(check_room(config_.path_of(config_.data)));
  check_store();
  check_trust();
  check_keys();
  check_endings();
  check_gaps();
  return verdict();
}

void Check::check_store() {
  std::error_code error;
  const std::filesystem::path vault = vault_directory_of(config_);
  const std::filesystem::directory_iterator readable(vault, error);
  if (error && error != std::errc::no_such_file_or_directory) {  // the first import creates it
    problems_.push_back({fault_of_errno(error.value()), "config check", vault.string() + " (" + error.message() + ")"});
  }
  std::error_code ignored;
  if (!std::filesystem::exists(store_file_of(config_), ignored)) return;  // the first use creates it
  auto store = open_store(config_, context_.random, Use::read);
  if (!took(store)) return;
  took(check_server_id(config_, **store));
  store_ = *std::move(store);
}

void Check::check_trust() {
  ReadTrust read = read_trust(config_, cached_lists(config_), store_.get(), problems_);
  auto channel = std::make_shared<channel::ServerSettings>();
  channel->clients = std::move(read.clients);
  authorities_ = {
      .channel = std::move(channel), .persons = std::move(read.persons), .distributors = std::move(read.distributors)};
  for (const auto& source : authorities_.persons) say("persons: " + source.profile.name);
  if (config_.distributor.anchors.empty()) say("distributors: no root is trusted, so nothing can be imported");
}

void Check::open_keys() {
  const bool passphrase_at_hand =
      !context_.passphrase.file.empty() || context_.passphrase.descriptor >= 0 || !config_.passphrase_file.empty();
  if (!passphrase_at_hand) {
    say("private keys: not checked, because no passphrase file is configured or given");
    return;
  }
  auto keys = open_keyring(config_, context_.passphrase, context_.pin);
  if (took(keys)) keys_ = *std::move(keys);
}

void Check::check_keys() {
  const auto chain = load_chain(config_, config_.server_certificate);
  if (took(chain)) {
    own_ = *chain;
    endings_.push_back({.what = "server certificate", .when = chain->front().not_after()});
    if (context_.clock.now() < chain->front().not_before()) {
      problems_.push_back({Fault::certificate_not_yet_valid, "server certificate", config_.server_certificate});
    }
    check_role_of("server certificate", config_.server_certificate, chain->front(), pki::Role::server);
    say("server certificate: " + chain->front().subject_text());
    for (const std::string& name : names_of(config_, chain->front())) say("  answers to " + name);
  }
  if (!keys_) return;
  const auto issuer = load_licence_issuer(config_, *keys_);
  const bool licences = took_key(config_.licence_key, issuer);
  const bool vault = took_key(config_.vault_token, load_vault_key(config_, *keys_));
  const bool pseudonyms = took(load_pseudonym_key(config_, *keys_));
  if (licences && vault && pseudonyms) {
    say(fmt::format("own keys: licences ({} public), vault, pseudonyms", issuer->public_keys.size()));
  }
  check_pairs(*keys_);
  check_files(*keys_);
}

/// Every peer refuses a certificate for another of usher's roles. A certificate without a role is refused by peers that
/// do not map it to one.
void Check::check_role_of(const std::string& what, const std::string& file, const pki::Certificate& leaf,
                          pki::Role role) {
  if (pki::check_role(leaf, role, nullptr)) return;
  const auto uses = leaf.extended_key_usages();
  const bool has_another =
      uses && std::ranges::any_of(*uses, [](const std::string& one) { return one.starts_with(pki::kOidArc); });
  if (has_another) {
    problems_.push_back({Fault::wrong_role, "config check",
                         "the " + what + " " + file + " is not for the role " + std::string(name_of(role)),
                         "Issue one for this role with `usher-ca issue`."});
  } else {
    warn("the " + what + " names no role: those who do not map it to " + std::string(name_of(role)) + " refuse it");
  }
}

void Check::check_pairs(Keyring& keys) {
  if (!own_.empty()) {
    took_key(config_.server_key, load_pair(config_, config_.server_certificate, config_.server_key, keys));
  }
  if (!is_key_there(config_, config_.recipient_key)) {
    say("release recipient: no key, so nothing can be imported");
    return;
  }
  const auto recipient = load_pair(config_, config_.recipient_certificate, config_.recipient_key, keys);
  if (!took_key(config_.recipient_key, recipient)) return;
  const pki::Certificate& leaf = recipient->chain.front();
  check_role_of("recipient certificate", config_.recipient_certificate, leaf, pki::Role::release_recipient);
  endings_.push_back({.what = "recipient certificate", .when = leaf.not_after(), .stops = false});
  say("releases are sealed for: " + leaf.subject_text());
}

void Check::check_files(Keyring& keys) {
  if (!authorities_.channel->clients || (config_.files_shares.empty() && config_.files_publish.empty())) return;
  if (config_.files_certificates.size() != config_.files_keys.size()) return;  // reported already
  const auto files = load_files(config_, keys, authorities_.channel->clients, nullptr, endings_);
  if (!took(files)) return;
  say(fmt::format("file stream: {} shares", files->shares->size()));
  if (!config_.files_publish.empty()) warn("copies of published media are not counted");
  if (!config_.files_key_transport_certificate.empty()) {
    warn("RSA key transport is offered, without forward secrecy");
  }
}

void Check::check_endings() {
  const Time now = context_.clock.now();
  for (server::Expiry& end : server::trust_expiries(authorities_, now)) endings_.push_back(std::move(end));
  for (const server::Expiry& end : endings_) {
    const auto left = std::chrono::floor<std::chrono::days>(end.when - now).count();
    const std::string when = left < 0 ? "has ended" : fmt::format("ends in {} days", left);
    if (!context_.json) std::printf("%s: %s\n", end.what.c_str(), when.c_str());
    ends_.push_back(boost::json::object{{"what", end.what}, {"ends_at", app::iso_time(end.when)}});
    const std::string warning = server::warning_of(end, now);
    if (warning.empty()) continue;
    warn(warning);
    if (end.when <= now && end.stops) {
      const bool list = end.what.find(" list of ") != std::string::npos;
      problems_.push_back({list ? Fault::crl_expired : Fault::certificate_expired, "config check", end.what});
    }
  }
}

void Check::check_gaps() {
  pki::Chain known = all_authorities(authorities_);
  known.insert(known.end(), own_.begin(), own_.end());
  server::MayFetch may_fetch;
  if (config_.revocation_fetch) {
    may_fetch = [&](const pki::Certificate& one) {
      return !config_.revocation_urls.empty() || server::points_to_lists_of(one, known);
    };
  }
  const server::LoginGaps gaps = server::login_gaps(authorities_, context_.clock.now(), may_fetch);
  for (const Error& gap : gaps.some) warn(server::gap_text(gap));
  problems_.insert(problems_.end(), gaps.none.begin(), gaps.none.end());
}

/// Reports all faults, each once, but the last one: returns that for the caller to report.
Result<> Check::verdict() {
  Problems once;
  for (Error& problem : problems_) {
    const std::string key = key_of(config_, problem.about);
    if (!key.empty()) problem.about.insert(0, key + ": ");
    const auto same = [&](const Error& other) { return explain(other) == explain(problem); };
    if (std::ranges::none_of(once, same)) once.push_back(std::move(problem));
  }
  problems_ = std::move(once);
  if (context_.json) {
    boost::json::array faults;
    for (const Error& problem : problems_) faults.push_back(app::json_of(problem));
    app::print_json(boost::json::object{{"config", config_.file.string()},
                                        {"ok", problems_.empty()},
                                        {"facts", facts_},
                                        {"warnings", warnings_},
                                        {"ends", ends_},
                                        {"faults", std::move(faults)}});
  } else if (problems_.empty()) {
    std::printf("ok\n");
  } else if (problems_.size() > 1) {
    std::printf("faults: %zu\n", problems_.size());
    for (std::size_t i = 0; i + 1 < problems_.size(); ++i) app::report("usherd", problems_[i]);
  }
  if (problems_.empty()) return {};
  return std::unexpected(problems_.back());
}

Result<> check_all(const Context& context) { return Check(context).run(); }

}  // namespace

void add_config_command(const app::Command& program, Context& context) {
  const app::Command config = program.command("config", "Check or show the configuration");
  config.needs_command();
  const app::Command check_verb = config.command("check", "Read and check everything that serve would use");
  check_verb.action([&context] { return check_all(context); });
  const app::Command show = config.command("show", "The settings in force, from file, environment and flags");
  show.action([&context]() -> Result<> {
    USHER_TRY(const Config loaded, load_config(context));
    const std::string text = context.json ? to_json(loaded) + "\n" : to_toml(loaded, false);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  });
  const app::Command keys = config.command("keys", "Every key with its default and its meaning, as a Markdown table");
  keys.action([&context]() -> Result<> {
    Config defaults;
    const app::Settings settings = settings_of(defaults);
    const std::string text = context.json ? settings.table_json() + "\n" : settings.table_markdown();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  });
  config.footer(
      "Examples:\n"
      "  usherd --home h config check && kill -HUP $(pidof usherd)\n"
      "  usherd --home h config show --json | jq '.\"limits.connections\"'");
}

}  // namespace usher::usherd
