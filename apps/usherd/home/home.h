// usherd/home/home: the data of the verbs: configuration, store, vault.  Layout: docs/reference/home.md.
#pragma once

#include <memory>
#include <optional>

#include "common/command_line.h"
#include "common/passphrase.h"
#include "media/vault.h"
#include "store/store.h"
#include "usherd/config/config.h"
#include "usherd/home/keyring.h"

namespace usher::usherd {

/// What every verb receives. Lives as long as main().
struct Context {
  std::filesystem::path home{};          // --home, USHER_HOME; empty: XDG directories
  std::filesystem::path config_file{};   // --config
  std::vector<std::string> set{};        // --set key=value
  std::vector<app::Setting> settings{};  // flags that set keys, applied after `set`
  app::PassphraseSource passphrase{};
  app::PassphraseSource pin{};  // of tokens
  const Clock& clock;
  Random& random;
  /// The exit status of main() if the action succeeds: for verbs that answer with it.
  int status = 0;
  /// Results on standard output, and errors on stderr, are JSON (docs/reference/json.md).
  bool json = false;
};

/// --config, otherwise <home>/usherd.toml, otherwise $XDG_CONFIG_HOME/usherd/usherd.toml.
[[nodiscard]] std::filesystem::path config_file_of(const Context& context);
/// The data directory of a new home: "data" below it, or $XDG_DATA_HOME/usherd.
[[nodiscard]] std::string default_data_of(const Context& context);
/// Defaults, file, environment, command line. Errors: bad_config; not_set_up, there is no file.
[[nodiscard]] Result<Config> load_config(const Context& context);
/// The same, but collects all errors. If there is no file, not_set_up is the only error.
[[nodiscard]] Config load_config(const Context& context, Problems& problems);
/// The same without a file.
[[nodiscard]] Result<> add_environment_and_flags(Config& config, const Context& context);

[[nodiscard]] std::filesystem::path store_file_of(const Config& config);
[[nodiscard]] std::filesystem::path vault_directory_of(const Config& config);
[[nodiscard]] std::filesystem::path lock_file_of(const Config& config);

/// How a verb uses the store. A verb that only reads also works on a full disk.
enum class Use : std::uint8_t { read, write };

[[nodiscard]] Result<std::unique_ptr<store::Store>> open_store(const Config& config, Random& random,
                                                               Use use = Use::write);

/// Configuration and store; if keys are needed, also the keyring and the vault.
struct Home {
  Config config;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Keyring> keys{};
  std::optional<media::Vault> vault{};
};
/// From here on the process runs as the home's owner (owner.h). Files that only root can read must be opened before.
/// Errors: those of load_config, work_as_owner and of the store.
[[nodiscard]] Result<Home> open_home(const Context& context, Use use = Use::write);
/// The same, with keyring and vault. Errors: those of the keyring and the vault too.
[[nodiscard]] Result<Home> open_home_with_vault(const Context& context, Use use = Use::write);

/// Every issued licence contains server.id. With another id, listeners would take all licences for another server's.
/// Errors: bad_config, the newest licence in the store has another id.
[[nodiscard]] Result<> check_server_id(const Config& config, store::Store& store);

/// The object whose id begins with `text` (hexadecimal, at least 4 digits). Errors: bad_usage (too short, or several
/// ids match); `missing`, no id matches.
[[nodiscard]] Result<Id128> find_id(std::string_view text, std::span<const Id128> among, Fault missing);

// The verbs.
void add_init_command(const app::Command& program, Context& context);
void add_serve_command(const app::Command& program, Context& context);
void add_media_command(const app::Command& program, Context& context);
void add_licence_command(const app::Command& program, Context& context);
void add_persons_command(const app::Command& program, Context& context);
void add_vault_key_command(const app::Command& program, Context& context);
void add_rotate_command(const app::Command& program, Context& context);
void add_config_command(const app::Command& program, Context& context);
void add_check_chain_command(const app::Command& program, Context& context);

}  // namespace usher::usherd
