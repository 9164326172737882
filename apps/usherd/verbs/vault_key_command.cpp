// usherd vault-key: chooses what opens the key of the media at rest.
#include <cstdio>
#include <memory>

#include "common/json.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"
#include "usherd/home/owner.h"

namespace usher::usherd {
namespace {

Result<> seal(const Context& context, bool for_token) {
  USHER_TRY(const Config config, load_config(context));
  USHER_CHECK(check(config));
  USHER_TRY(const auto keys, open_keyring(config, context.passphrase, context.pin));
  USHER_CHECK(work_as_owner(config));
  USHER_CHECK(seal_vault_key(config, *keys, for_token, context.random));
  if (context.json) {
    app::print_json(
        boost::json::object{{"file", config.path_of(config.vault_key).string()},
                            {"sealed_for", for_token ? "token" : "passphrase"},
                            {"key", for_token ? boost::json::value(config.vault_token) : boost::json::value(nullptr)}});
    return {};
  }
  std::printf("sealed: %s, for %s\n", config.path_of(config.vault_key).c_str(),
              for_token ? config.vault_token.c_str() : "the passphrase");
  if (!for_token && !config.vault_token.empty()) std::printf("keys.vault_token is no longer needed\n");
  std::printf("Copies of the old file, in backups too, still open the vault: destroy them.\n");
  return {};
}

}  // namespace

void add_vault_key_command(const app::Command& program, Context& context) {
  const app::Command verb = program.command("vault-key", "The key of the media at rest: who opens it");
  verb.needs_command();
  const app::Command seal_verb = verb.command("seal", "Seal it anew; media are not touched, a running server goes on");
  const auto to = std::make_shared<std::string>();
  seal_verb.option("--to", *to, "token: the key that keys.vault_token names; passphrase: that of the key files")
      .required()
      .one_of({"token", "passphrase"});
  seal_verb.action([&context, to] { return seal(context, *to == "token"); });
  verb.footer(
      "Examples:\n"
      "  usherd --home h vault-key seal --to token       after keys.vault_token was set\n"
      "  usherd --home h vault-key seal --to passphrase  before the token is given up");
}

}  // namespace usher::usherd
