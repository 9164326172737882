// usherd config: check and show.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "home.h"
#include "key_files.h"
#include "owner.h"
#include "trust_files.h"

namespace usher::usherd {
namespace {

void warn_of_files(const Config& config) {
  if (!config.files_publish.empty()) std::printf("  warning: copies of published media are not counted\n");
  if (!config.files_key_transport_certificate.empty()) {
    std::printf("  warning: RSA key transport is offered, without forward secrecy\n");
  }
}

/// Everything that `serve` would read, without changing anything.
Result<> check_all(const Context& context) {
  USHER_TRY(const Config config, load_config(context));
  USHER_CHECK(check(config));
  std::printf("configuration: %s\n", config.file.c_str());
  const bool passphrase_at_hand =
      !context.passphrase.file.empty() || context.passphrase.descriptor >= 0 || !config.passphrase_file.empty();
  if (!passphrase_at_hand) {
    std::printf("keys, certificates and trust: not checked, because no passphrase file is configured or given\n");
    return {};
  }
  USHER_TRY(const auto keys, open_keyring(config, context.passphrase, context.pin));
  USHER_CHECK(work_as_owner(config));  // what the server cannot read is to be found here
  USHER_TRY(const auto issuer, load_licence_issuer(config, *keys));
  USHER_TRY(const auto vault_key, load_vault_key(config, *keys));
  USHER_TRY(const auto pseudonym_key, load_pseudonym_key(config, *keys));
  std::printf("own keys: licences (%zu public), vault, pseudonyms\n", issuer.public_keys.size());
  USHER_TRY(const auto snapshot, load_snapshot(config, *keys, cached_lists(config), nullptr, nullptr, context.clock));
  std::printf("server certificate: %s\n", snapshot.authorities->channel->chain.front().subject_text().c_str());
  for (const std::string& name : snapshot.names) std::printf("  answers to %s\n", name.c_str());
  if (snapshot.files) {
    std::printf("file stream: %zu shares\n", snapshot.files->shares->size());
    warn_of_files(config);
  }
  for (const auto& source : snapshot.authorities->persons) std::printf("persons: %s\n", source.profile.name.c_str());
  net::Expiries ends = snapshot.expiries;
  for (auto& end : list_expiries(*snapshot.authorities)) ends.push_back(std::move(end));
  for (const auto& [what, when] : ends) {
    const auto left = std::chrono::duration_cast<std::chrono::days>(when - context.clock.now()).count();
    std::printf("%s: ends in %lld days\n", what.c_str(), static_cast<long long>(left));
    if (when <= context.clock.now()) return fail(Fault::crl_expired, "config check", what);
  }
  if (!snapshot.authorities->distributors) std::printf("distributors: none trusted, so nothing can be imported\n");
  if (is_key_there(config, config.recipient_key)) {
    USHER_TRY(const auto recipient, load_pair(config, config.recipient_certificate, config.recipient_key, *keys));
    std::printf("releases are sealed for: %s\n", recipient.chain.front().subject_text().c_str());
  } else {
    std::printf("release recipient: no key, so nothing can be imported\n");
  }
  std::printf("ok\n");
  return {};
}

}  // namespace

void add_config_command(CLI::App& app, Context& context) {
  CLI::App* config = app.add_subcommand("config", "Check or show the configuration");
  config->require_subcommand(1);
  CLI::App* check_verb = config->add_subcommand("check", "Read and check everything that serve would use");
  check_verb->callback([&context] { context.action = [&context] { return check_all(context); }; });
  CLI::App* show = config->add_subcommand("show", "The settings in force, from file, environment and flags");
  const auto json = std::make_shared<bool>(false);
  show->add_flag("--json", *json, "As one JSON object, keys as in --set");
  show->callback([&context, json] {
    context.action = [&context, json]() -> Result<> {
      USHER_TRY(const Config loaded, load_config(context));
      const std::string text = *json ? to_json(loaded) + "\n" : to_toml(loaded, false);
      std::fwrite(text.data(), 1, text.size(), stdout);
      return {};
    };
  });
  config->footer(
      "Examples:\n"
      "  usherd --home h config check && kill -HUP $(pidof usherd)\n"
      "  usherd --home h config show --json | jq '.\"limits.connections\"'");
}

}  // namespace usher::usherd
