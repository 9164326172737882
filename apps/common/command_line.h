// apps/common/command_line: the commands, options and flags of a program, over CLI11. Only command_line.cpp includes
// the parser: its header costs seconds of compiling in every file that includes it.
#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace usher::app {

/// What a command does. It runs after the whole command line was parsed.
using Action = std::function<Result<>()>;

template <class T, class... Types>
concept OneOf = (std::same_as<T, Types> || ...);
/// The types of an option's value. A list takes any number of values.
template <class T>
concept OptionValue =
    OneOf<T, std::string, std::filesystem::path, std::optional<std::string>, std::vector<std::string>,
          std::vector<std::filesystem::path>, int, std::uint16_t, std::uint32_t, std::uint64_t, double>;

/// One option of a command, to say more about it. Valid as long as its CommandLine.
class Option {
 public:
  explicit Option(CLI::Option* option) noexcept : option_(option) {}

  Option required() const;
  /// What the help shows as the value: "FILE".
  Option value_name(const std::string& name) const;
  /// The help shows the default value.
  Option with_default() const;
  /// The smallest and the largest number allowed.
  Option between(int least, int most) const;
  Option between(std::uint32_t least, std::uint32_t most) const;
  Option between(double least, double most) const;
  Option one_of(const std::vector<std::string>& values) const;
  Option excludes(const Option& other) const;
  Option needs(const Option& other) const;
  /// A list that takes one value each time the option is given.
  Option one_at_a_time() const;
  /// Where the option is not given, this environment variable counts.
  Option or_variable(const std::string& name) const;

  /// Whether the command line has the option. After parsing.
  [[nodiscard]] bool given() const;

 private:
  CLI::Option* option_;
};

/// One command of a program, or the program itself. Valid as long as its CommandLine. Every `value` must live until the
/// action has run; help texts are one line.
class Command {
 public:
  Command(CLI::App* app, Action* chosen) noexcept : app_(app), chosen_(chosen) {}

  /// Adds a command below this one.
  [[nodiscard]] Command command(const std::string& name, const std::string& help) const;
  /// The command can be called by this name too.
  void also(const std::string& name) const;
  /// A command of this one must be given.
  void needs_command() const;
  /// Options of the command above are accepted after this command too.
  void takes_outer_options() const;
  /// The text below the help.
  void footer(const std::string& text) const;
  /// What the command does, if it is the chosen one.
  void action(Action action) const;

  /// `name`: "--out", "-o,--output", or without dashes for a positional argument.
  template <OptionValue T>
  Option option(const std::string& name, T& value, const std::string& help) const;
  /// Passes the value to `take` while the command line is parsed.
  Option option(const std::string& name, const std::function<void(const std::string&)>& take,
                const std::string& help) const;
  /// A size in bytes: "4096", "256KiB", "1MiB".
  Option size(const std::string& name, std::uint64_t& bytes, const std::string& help) const;
  Option flag(const std::string& name, bool& value, const std::string& help) const;
  /// A flag with an optional value: "--sealed" means "--sealed=`usual`".
  Option flag(const std::string& name, const std::string& usual, std::string& value, const std::string& help) const;

 private:
  CLI::App* app_;
  Action* chosen_;
};

/// The command line of a program.
class CommandLine {
 public:
  /// `name`: the program's, for errors. `about`: the first line of the help.
  CommandLine(std::string_view name, const std::string& about, const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Command program();

  /// Adds --json to the program and to each of its commands, except those named in `without`. Then parses.
  /// Returns the action of the chosen command; it is empty if no command was given. Where nothing is to be run, returns
  /// the exit status: help or the version was shown, or the command line was not understood and this was reported.
  [[nodiscard]] std::expected<Action, int> parse(int argc, char** argv, bool& json,
                                                 const std::vector<std::string>& without = {});

 private:
  std::string name_;
  std::unique_ptr<CLI::App> app_;
  Action chosen_{};
};

/// Whether `--json` is on the command line, even if the rest cannot be parsed. For errors before parsing has finished.
[[nodiscard]] bool wants_json(int argc, char** argv);

}  // namespace usher::app
