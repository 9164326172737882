// usher/config: the listener's settings. Sources, later ones override: a TOML file, the environment, the command line.
// Keys: docs/reference/listener-configuration.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "common/trust.h"

namespace usher::cli {

struct Config {
  // connection
  std::string url = "http://localhost:8080";
  std::string server_name{};
  std::string server_key{};
  std::string proxy{};
  std::int64_t retry_seconds = 120;
  std::vector<std::string> suites{};
  std::vector<std::string> groups{};
  // installation
  std::string certificate = "client.pem";
  std::string key = "client.key";
  std::string passphrase_file{};
  std::string module{};
  // trust
  app::TrustKeys server{};
  app::TrustKeys distributor{};
  // card
  std::vector<std::string> modules{};
  std::string profile = "cartao-de-cidadao";
  std::string token{};
  std::string card_certificate{};
  std::int64_t slot = -1;
  std::string removed = "go-on";
  std::vector<std::string> card_intermediates{};
  std::string pin_file{};
  // player
  std::string player = "ffplay";
  std::int64_t window = 8;

  std::filesystem::path folder{};  // relative paths are relative to this
  std::filesystem::path file{};    // where the file was expected
  [[nodiscard]] std::filesystem::path path_of(const std::string& value) const;
};

/// Every key, with a pointer into `config`.
[[nodiscard]] app::Settings settings_of(Config& config);

/// Also USHER_MODULE, USHER_PROFILE and USHER_PLAYER. Errors: bad_config.
[[nodiscard]] Result<> read_environment(Config& config, char** environment);

[[nodiscard]] std::string to_toml(Config config);
[[nodiscard]] std::string to_json(Config config);

}  // namespace usher::cli
