// apps/common/arguments: what the command lines of all programs have in common.
#pragma once

#include <initializer_list>
#include <string_view>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace usher::app {

/// Whether --json stands on the command line, understood or not. For what goes wrong before it has been read.
[[nodiscard]] bool wants_json(int argc, char** argv);

/// --json, for `app` and for each verb below it that does something, but for those named: what they do is neither read nor
/// made.
void add_json_flag(CLI::App& app, bool& json, std::initializer_list<std::string_view> but = {});

/// What a program ends with whose command line is a wish for help, or was not understood; shows or tells that.
[[nodiscard]] int end_of_parsing(CLI::App& app, const CLI::ParseError& why, std::string_view program, bool json);

}  // namespace usher::app
