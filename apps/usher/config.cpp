#include "config.h"

#include <array>

namespace usher::cli {

std::filesystem::path Config::path_of(const std::string& value) const {
  return value.empty() ? std::filesystem::path() : (folder / value).lexically_normal();
}

Result<> read_environment(Config& config, char** environment) {
  // Short names for the keys that are changed most often. An unknown variable is an error only in sections that usherd
  // does not have.
  constexpr std::array<app::Settings::Alias, 3> kShort{
      {{"USHER_MODULE", "card.modules"}, {"USHER_PROFILE", "card.profile"}, {"USHER_PLAYER", "player.command"}}};
  constexpr std::array<std::string_view, 4> kOwn{"USHER_CONNECTION_", "USHER_INSTALLATION_", "USHER_CARD_",
                                                 "USHER_PLAYER_"};
  return settings_of(config).read_environment(environment, kOwn, kShort);
}

std::string to_toml(Config config) { return settings_of(config).to_toml(); }
std::string to_json(Config config) { return settings_of(config).to_json(); }

}  // namespace usher::cli
