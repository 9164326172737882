// apps/common/settings: a program's configuration. Sources, later ones override: a TOML file, the environment, the
// command line. One table of keys drives reading, checks, output and documentation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace usher::app {

using Texts = std::vector<std::string>;
using Value = std::variant<bool, std::int64_t, std::string, Texts>;

/// A value for one key on the command line; also `--set key=value`.
using Setting = std::pair<std::string, std::string>;

/// Error::where if a file cannot be parsed as TOML. In that case no setting was read from it.
inline constexpr std::string_view kSyntax = "config: syntax";
/// Error::where if a file cannot be read at all.
inline constexpr std::string_view kUnreadable = "config: file";
/// All errors, in the order in which they were found.
using Problems = std::vector<Error>;
/// The first of them; success if there is no error.
[[nodiscard]] Result<> first_of(Problems problems);

/// "USHER_LIMITS_CONNECTIONS" for "limits.connections".
[[nodiscard]] std::string variable_of(std::string_view name);

/// One key, and a pointer to its value in a configuration.
struct Key {
  using Place = std::variant<bool*, std::int64_t*, std::string*, Texts*>;
  std::string name;  // "limits.connections"
  Place place;
  std::string_view help;       // a literal: one line, with the unit
  std::int64_t min = 0;        // of a number
  std::int64_t max = 0;        //
  std::string_view choices{};  // a literal: "open|operator"; empty: any text
  bool path = false;           // from environment and command line: relative to the working directory
  bool decided = false;        // written into a new configuration even with its default value
  bool reloaded = false;       // a reload of the configuration takes the new value; otherwise a restart is needed

  static Key text(std::string name, std::string& at, std::string_view help) { return {std::move(name), &at, help}; }
  static Key texts(std::string name, Texts& at, std::string_view help) { return {std::move(name), &at, help}; }
  static Key flag(std::string name, bool& at, std::string_view help) { return {std::move(name), &at, help}; }
  static Key number(std::string name, std::int64_t& at, std::int64_t min, std::int64_t max, std::string_view help) {
    return {std::move(name), &at, help, min, max};
  }
  static Key choice(std::string name, std::string& at, std::string_view choices, std::string_view help) {
    return {std::move(name), &at, help, 0, 0, choices};
  }
  static Key file(std::string name, std::string& at, std::string_view help) {
    return {std::move(name), &at, help, 0, 0, {}, true};
  }
  static Key files(std::string name, Texts& at, std::string_view help) {
    return {std::move(name), &at, help, 0, 0, {}, true};
  }

  [[nodiscard]] Key as_decided() && {
    decided = true;
    return std::move(*this);
  }
  [[nodiscard]] Key as_reloaded() && {
    reloaded = true;
    return std::move(*this);
  }
  [[nodiscard]] Value value() const;
  /// "USHER_LIMITS_CONNECTIONS".
  [[nodiscard]] std::string variable() const { return variable_of(name); }
};

/// The keys of one configuration, in the order in which they are shown. Valid while the configuration stays at its
/// address.
class Settings {
 public:
  /// `program`: a literal, for messages. `reloads`: whether the program can read its configuration again.
  explicit Settings(std::string_view program, bool reloads = false) : program_(program), reloads_(reloads) {}
  void add(std::initializer_list<Key> keys) { keys_.insert(keys_.end(), keys.begin(), keys.end()); }
  /// Keys of earlier releases, each with the message about it: literals.
  using Retired = std::pair<std::string_view, std::string_view>;
  void retire(std::initializer_list<Retired> keys) { retired_ = keys; }

  [[nodiscard]] std::span<const Key> keys() const& noexcept { return keys_; }
  std::span<const Key> keys() && = delete;  // they would dangle
  /// nullptr: no such key.
  [[nodiscard]] const Key* find(std::string_view name) const noexcept;
  /// The message about a key that find() does not know.
  [[nodiscard]] std::string why_unknown(std::string_view name) const;

  /// Errors: bad_config, with file and line (syntax, an unknown key, a value of another kind or out of its bounds);
  /// those of read_file().
  [[nodiscard]] Result<> read_toml(const std::filesystem::path& file) const;
  /// The same, but collects all errors. A key with an error keeps its value.
  void read_toml(const std::filesystem::path& file, Problems& problems) const;

  /// An environment variable that sets a key under another name.
  using Alias = std::pair<std::string_view, std::string_view>;
  /// Every USHER_… variable of a key, and `aliases`. Any other variable that begins with an entry of `own`
  /// ("USHER_LIMITS_") is an error; the rest belong to usher's other programs. Errors: bad_config.
  [[nodiscard]] Result<> read_environment(char** environment, std::span<const std::string_view> own,
                                          std::span<const Alias> aliases = {}) const;
  void read_environment(char** environment, std::span<const std::string_view> own, std::span<const Alias> aliases,
                        Problems& problems) const;

  /// The elements of a list are separated by commas. Errors: bad_config.
  [[nodiscard]] Result<> apply(std::span<const Setting> settings) const;

  /// TOML with a comment for each key. `defaults`: the same keys of another configuration; a value equal to the value
  /// there is commented out. nullptr: no value is commented out.
  [[nodiscard]] std::string to_toml(const Settings* defaults = nullptr) const;
  [[nodiscard]] std::string to_json() const;
  /// For each key: its value, the allowed values, whether a reload takes it (if the program reloads), and its
  /// meaning; as rows of a Markdown table, or as JSON.
  [[nodiscard]] std::string table_markdown() const;
  [[nodiscard]] std::string table_json() const;

 private:
  std::string_view program_;
  bool reloads_;
  std::vector<Key> keys_;
  std::vector<Retired> retired_;
};

/// "key=value" of --set. Errors: bad_usage.
[[nodiscard]] Result<Setting> setting_from_text(std::string_view text);

}  // namespace usher::app
