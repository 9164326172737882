// apps/common/arguments: the command-line handling that all programs share.
#pragma once

#include <initializer_list>
#include <string_view>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace usher::app {

/// Whether `--json` is on the command line, even if the rest cannot be parsed. For errors before parsing has finished.
[[nodiscard]] bool wants_json(int argc, char** argv);

/// Adds --json to `app` and to each of its verbs, at every depth. `but`: names of verbs without it, because they print
/// no result.
void add_json_flag(CLI::App& app, bool& json, std::initializer_list<std::string_view> but = {});

/// The exit status after the parser has thrown: a request for help, or a command line that is not understood. Shows the
/// help or reports the error.
[[nodiscard]] int end_of_parsing(CLI::App& app, const CLI::ParseError& why, std::string_view program, bool json);

}  // namespace usher::app
