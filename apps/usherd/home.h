// usherd/home: what the verbs work on: configuration, store, vault.  Layout: docs/operating.md, "The home".
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/passphrase.h"
#include "config.h"
#include "keyring.h"
#include "media/vault.h"
#include "store/store.h"

namespace CLI {
class App;
}

namespace usher::usherd {

/// What every verb gets. Lives as long as main().
struct Context {
  std::filesystem::path home{};          // --home, USHER_HOME; empty: XDG directories
  std::filesystem::path config_file{};   // --config
  std::vector<std::string> set{};        // --set key=value
  std::vector<app::Setting> settings{};  // flags that stand for keys, after `set`
  app::PassphraseSource passphrase{};
  app::PassphraseSource pin{};  // of tokens
  const Clock& clock;
  Random& random;
  /// Set by the verb that was chosen; main() runs it once the command line was read whole.
  std::function<Result<>()> action{};
  /// What main() ends with where the action succeeds: of verbs that answer by it.
  int status = 0;
  /// Results on standard output, and errors on stderr, are JSON (docs/json.md).
  bool json = false;
};

/// --config, else <home>/usherd.toml, else $XDG_CONFIG_HOME/usherd/usherd.toml.
[[nodiscard]] std::filesystem::path config_file_of(const Context& context);
/// Where the data of a new home goes: "data" below it, or $XDG_DATA_HOME/usherd.
[[nodiscard]] std::string default_data_of(const Context& context);
/// Defaults, file, environment, command line. Errors: bad_config; not_set_up, there is no file.
[[nodiscard]] Result<Config> load_config(const Context& context);
/// The same to the end, with everything that is wrong; not_found is the only thing then.
[[nodiscard]] Config load_config(const Context& context, Problems& problems);
/// The same without a file.
[[nodiscard]] Result<> add_environment_and_flags(Config& config, const Context& context);

[[nodiscard]] std::filesystem::path store_file_of(const Config& config);
[[nodiscard]] std::filesystem::path vault_directory_of(const Config& config);
[[nodiscard]] std::filesystem::path lock_file_of(const Config& config);

/// What a verb does with the store. What only reads does so on a full disk too.
enum class Use : std::uint8_t { read, write };

[[nodiscard]] Result<std::unique_ptr<store::Store>> open_store(const Config& config, Random& random,
                                                               Use use = Use::write);

/// Configuration and store; and, where keys are needed, what opens them, and the vault.
struct Home {
  Config config;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Keyring> keys{};
  std::optional<media::Vault> vault{};
};
/// From here on the process is the home's owner (owner.h): what only root can read is opened before.
/// Errors: those of load_config, work_as_owner and of the store.
[[nodiscard]] Result<Home> open_home(const Context& context, Use use = Use::write);
/// The same, and what opens keys. Errors: those of the keyring and the vault too.
[[nodiscard]] Result<Home> open_home_with_vault(const Context& context, Use use = Use::write);

/// server.id stands in every licence that was issued: another one would make all of them another server's to their listeners.
/// Errors: bad_config, the newest licence in the store names another one.
[[nodiscard]] Result<> check_server_id(const Config& config, store::Store& store);

/// The object whose id begins with `text` (hexadecimal, 4 digits at least). Errors: bad_usage (too short, or several fit);
/// `missing`, when
/// there is none.
[[nodiscard]] Result<Id128> find_id(std::string_view text, std::span<const Id128> among, Fault missing);

// The verbs.
void add_init_command(CLI::App& app, Context& context);
void add_serve_command(CLI::App& app, Context& context);
void add_media_command(CLI::App& app, Context& context);
void add_licence_command(CLI::App& app, Context& context);
void add_persons_command(CLI::App& app, Context& context);
void add_vault_key_command(CLI::App& app, Context& context);
void add_rotate_command(CLI::App& app, Context& context);
void add_config_command(CLI::App& app, Context& context);
void add_check_chain_command(CLI::App& app, Context& context);

}  // namespace usher::usherd
