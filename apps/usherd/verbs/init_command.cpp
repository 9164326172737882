// usherd init: makes a home.
#include <cstdio>

#include <boost/json/array.hpp>

#include "base/file.h"
#include "common/json.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"
#include "usherd/home/owner.h"

namespace usher::usherd {
namespace {

/// Reports what was created, and what is still missing.
void tell(const Config& config, bool json) {
  boost::json::array files;
  for (const std::string* name :
       {&config.server_certificate, &config.server_key, &config.recipient_certificate, &config.recipient_key}) {
    if (!is_key_there(config, *name)) files.emplace_back(config.path_of(*name).string());
  }
  boost::json::array keys;
  if (config.client.anchors.empty()) keys.emplace_back("trust.client");
  if (config.distributor.anchors.empty()) keys.emplace_back("trust.distributor");
  if (json) {
    app::print_json(boost::json::object{{"config", config.file.string()},
                                        {"server_id", config.id},
                                        {"missing_files", std::move(files)},
                                        {"missing_settings", std::move(keys)}});
    return;
  }
  std::printf("created: %s\n", config.file.c_str());
  if (!files.empty()) std::printf("still needed, from the authority (usher-ca):\n");
  for (const auto& file : files) std::printf("  %s\n", file.get_string().c_str());
  if (!keys.empty()) {
    std::printf("still needed, in the configuration: trust.client, trust.distributor and person.* (anchors, crls)\n");
  }
}

Result<> init(const Context& context) {
  Config config;
  const std::filesystem::path file = config_file_of(context);
  config.file = std::filesystem::absolute(file);
  config.data = default_data_of(context);
  USHER_CHECK(add_environment_and_flags(config, context));
  if (config.passphrase_file.empty() && !context.passphrase.file.empty()) {
    config.passphrase_file = std::filesystem::absolute(context.passphrase.file).string();
  }
  if (std::filesystem::exists(file))
    return fail(Fault::already_exists, "init", file.string(),
                "Nothing was changed: this home is set up. Name another directory with --home to make a second one.");
  if (config.pin_file.empty() && !context.pin.file.empty()) {
    config.pin_file = std::filesystem::absolute(context.pin.file).string();
  }
  USHER_TRY(const auto keys, open_keyring(config, context.passphrase, context.pin, true));
  USHER_CHECK(work_as_owner(config));  // if an existing directory belongs to the server's user
  USHER_CHECK(make_private_directory(config.file.parent_path()));
  USHER_CHECK(make_private_directory(config.path_of(config.data)));
  USHER_CHECK(create_own_keys(config, *keys, context.random));
  USHER_TRY(const auto store, open_store(config, context.random));
  const std::string head =
      "# usherd's configuration; every key is explained in docs/reference/configuration.md. Paths are relative to this "
      "file.\n"
      "# A line that begins with # shows a default. After a change: usherd config check, then SIGHUP or a restart.\n\n";
  // Last: if the configuration exists, the home is complete.
  USHER_CHECK(create_file(file, head + to_toml(config, true)));
  tell(config, context.json);
  return {};
}

}  // namespace

void add_init_command(const app::Command& program, Context& context) {
  const app::Command verb =
      program.command("init", "Make a home: configuration, and keys for licences, vault and pseudonyms");
  verb.footer(
      "Examples:\n"
      "  usherd --home /srv/usher --passphrase-file /etc/usher.pass init --id media.example.org\n"
      "  usherd --home h --passphrase-file p init --id e.example --acquisition quota\n"
      "  usherd --home h --passphrase-file p --set trust.client.anchors=root.pem --set trust.client.crls=root.crl "
      "init\n"
      "Everything given with --set or USHER_* variables is written into the new configuration.");
  verb.option(
      "--id", [&context](const std::string& id) { context.settings.emplace_back("server.id", id); },
      "Name of this server in licences: never changed later");
  verb.option(
      "--listen", [&context](const std::string& text) { context.settings.emplace_back("server.listen", text); },
      "Addresses of the media channel, with commas between");
  verb.option(
      "--acquisition",
      [&context](const std::string& text) { context.settings.emplace_back("policy.acquisition", text); },
      "Who issues licences: operator (the default), quota (a listener acquires 5 plays of a medium), or open (a "
      "listener\n"
      "acquires as many as he wants: five calls give him a hundred plays free of charge)");
  verb.option(
      "--licence-key", [&context](const std::string& uri) { context.settings.emplace_back("keys.licence_key", uri); },
      "The licence key is on a token: its URI, pkcs11:…; no key is made");
  verb.option(
      "--vault-token", [&context](const std::string& uri) { context.settings.emplace_back("keys.vault_token", uri); },
      "Seal the vault key for this key on a token, and not for the passphrase");
  verb.action([&context] { return init(context); });
}

}  // namespace usher::usherd
