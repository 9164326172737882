// usher/config: the listener's settings, from a TOML file, the environment and the command line, in that rising order.
// Keys: docs/listening.md, "Configuration".
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace usher::listening {

/// What one role is judged by. Files; relative ones are relative to the configuration's directory.
struct TrustKeys {
  std::vector<std::string> anchors{};
  std::vector<std::string> intermediates{};
  std::vector<std::string> crls{};
  std::string revocation = "chain";
  std::vector<std::string> eku{};
  bool accept_without_eku = false;
};

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
  // trust
  TrustKeys server{};
  TrustKeys distributor{};
  // card
  std::vector<std::string> modules{};
  std::string profile = "cartao-de-cidadao";
  std::string token{};
  std::vector<std::string> card_intermediates{};
  std::string pin_file{};
  // player
  std::string player = "ffplay";
  std::int64_t window = 8;

  std::filesystem::path folder{};  // what relative paths are relative to
  [[nodiscard]] std::filesystem::path path_of(const std::string& value) const;
};

using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct Key {
  using Slot = std::variant<bool* (*)(Config&), std::int64_t* (*)(Config&), std::string* (*)(Config&),
                            std::vector<std::string>* (*)(Config&)>;
  std::string_view name;  // "connection.url"
  Slot slot;
  std::string_view help;  // one line, with the unit
  bool path = false;      // paths, which from the command line are relative to the working directory
  std::int64_t min = 0;   // of numbers
  std::int64_t max = 0;
  std::string_view choices{};  // "chain|leaf|none"; empty: any text
};
[[nodiscard]] std::span<const Key> keys() noexcept;
/// nullptr: there is none.
[[nodiscard]] const Key* key_of(std::string_view name) noexcept;
/// "USHER_CONNECTION_URL".
[[nodiscard]] std::string variable_of(const Key& key);

/// Errors: bad_config, a value of another kind or out of its bounds; `where` in words for `about`.
[[nodiscard]] Result<> set_value(Config& config, const Key& key, Value value, std::string_view where);
/// The same from text, as in the environment: lists with commas between. Relative paths become absolute: they are
/// relative to the working directory.
[[nodiscard]] Result<> set_text(Config& config, const Key& key, std::string_view text, std::string_view where);
[[nodiscard]] Value value_of(const Config& config, const Key& key);

/// Errors: bad_config, with file and line; not_found, not_permitted.
[[nodiscard]] Result<> read_toml(Config& config, const std::filesystem::path& file);
/// Every USHER_… variable of a key, and USHER_MODULE, USHER_PROFILE, USHER_PLAYER. Errors: bad_config.
[[nodiscard]] Result<> read_environment(Config& config, char** environment);

/// TOML with a comment for each key.
[[nodiscard]] std::string to_toml(const Config& config);
[[nodiscard]] std::string to_json(const Config& config);

}  // namespace usher::listening
