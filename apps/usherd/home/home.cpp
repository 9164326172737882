#include "usherd/home/home.h"

#include <cstdlib>

#include <unistd.h>

#include "base/encoding.h"
#include "store/sqlite/sqlite_store.h"
#include "usherd/home/file_permissions.h"
#include "usherd/home/key_files.h"
#include "usherd/home/owner.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMinPrefix = 4;  // characters of an id

fs::path xdg(const char* variable, const char* below_home) {
  if (const char* value = std::getenv(variable); value != nullptr && *value == '/') return fs::path(value) / "usherd";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / below_home / "usherd";
}

store::SqliteOptions options_of(const Config& config) {
  store::SqliteOptions options;
  options.policy = {.commit_after = Seconds(config.commit_after_seconds),
                    .deadline = Seconds(config.play_seconds),
                    .deadline_durations = static_cast<std::uint32_t>(config.play_durations),
                    .max_moves = static_cast<std::uint32_t>(config.play_moves)};
  options.max_open_plays = static_cast<std::uint32_t>(config.open_plays);
  return options;
}

}  // namespace

fs::path config_file_of(const Context& context) {
  if (!context.config_file.empty()) return context.config_file;
  return (context.home.empty() ? xdg("XDG_CONFIG_HOME", ".config") : context.home) / "usherd.toml";
}

std::string default_data_of(const Context& context) {
  const bool own_home = !context.home.empty() || !context.config_file.empty();
  return own_home ? "data" : xdg("XDG_DATA_HOME", ".local/share").string();
}

Result<> add_environment_and_flags(Config& config, const Context& context) {
  USHER_CHECK(read_environment(config, environ));
  for (const std::string& text : context.set) {
    USHER_TRY(const app::Setting setting, app::setting_from_text(text));
    USHER_CHECK(apply_settings(config, {&setting, 1}));
  }
  return apply_settings(config, context.settings);
}

Result<Config> load_config(const Context& context) {
  Problems problems;
  Config config = load_config(context, problems);
  USHER_CHECK(app::first_of(std::move(problems)));
  return config;
}

Config load_config(const Context& context, Problems& problems) {
  Config config;
  const fs::path file = config_file_of(context);
  read_toml(config, file, problems);
  if (!problems.empty() && problems.front().fault == Fault::not_found) {
    problems.front() = {Fault::not_set_up, "config", "no configuration " + file.string(),
                        "Make a home with `usherd init`, or name one with --home or --config."};
    return config;
  }
  read_environment(config, environ, problems);
  const auto note = [&](const auto& result) {
    if (!result) problems.push_back(result.error());
  };
  for (const std::string& text : context.set) {
    const auto setting = app::setting_from_text(text);
    note(setting);
    if (setting) note(apply_settings(config, {&*setting, 1}));
  }
  for (const app::Setting& setting : context.settings) note(apply_settings(config, {&setting, 1}));
  return config;
}

fs::path store_file_of(const Config& config) { return config.path_of(config.data) / "usher.db"; }
fs::path vault_directory_of(const Config& config) { return config.path_of(config.data) / "media"; }
fs::path lock_file_of(const Config& config) { return config.path_of(config.data) / "server.lock"; }

Result<std::unique_ptr<store::Store>> open_store(const Config& config, Random& random, Use use) {
  store::SqliteOptions options = options_of(config);
  options.only_reading = use == Use::read;
  return store::open_sqlite(store_file_of(config), random, options);
}

Result<Home> open_home(const Context& context, Use use) {
  Home home;
  USHER_TRY(home.config, load_config(context));
  USHER_CHECK(work_as_owner(home.config));
  USHER_TRY(home.store, open_store(home.config, context.random, use));
  return home;
}

Result<Home> open_home_with_vault(const Context& context, Use use) {
  Home home;
  USHER_TRY(home.config, load_config(context));
  // First: perhaps only root may read a passphrase file.
  USHER_TRY(home.keys, open_keyring(home.config, context.passphrase, context.pin));
  USHER_CHECK(work_as_owner(home.config));
  USHER_TRY(home.store, open_store(home.config, context.random, use));
  USHER_TRY(crypto::Secret key, load_vault_key(home.config, *home.keys));
  USHER_TRY(home.vault, media::Vault::open(vault_directory_of(home.config), std::move(key), context.random));
  return home;
}

Result<> check_server_id(const Config& config, store::Store& store) {
  USHER_TRY(auto page, store.list_all_licences({.offset = 0, .count = 1}));
  if (page.total > 1) {
    USHER_TRY(page, store.list_all_licences({.offset = page.total - 1, .count = 1}));
  }
  if (page.entries.empty() || page.entries.back().terms.server == config.id) return {};
  return fail(
      Fault::bad_config, "server id",
      "server.id is " + config.id + ", but the licences in " + store_file_of(config).string() + " are of " +
          page.entries.back().terms.server,
      "Set server.id back: it is never changed once licences were issued. For another server use another home.");
}

Result<Id128> find_id(std::string_view text, std::span<const Id128> among, Fault missing) {
  if (text.size() < kMinPrefix || text.size() > 32) {
    return fail(Fault::bad_usage, "id", "an id has 32 hexadecimal digits, of which the first 4 or more are given",
                "The `list` verb shows the ids.");
  }
  std::optional<Id128> found;
  for (const Id128& id : among) {
    if (!to_hex(id).starts_with(text)) continue;
    if (found) return fail(Fault::bad_usage, "id", "several ids begin with " + std::string(text), "Give more digits.");
    found = id;
  }
  if (!found) {
    return fail(missing, "id", std::string(text),
                missing == Fault::unknown_licence ? "`usherd licence list` shows those that there are."
                                                  : "`usherd media list` shows those that there are.");
  }
  return *found;
}

}  // namespace usher::usherd
