#include "common/arguments.h"

#include <algorithm>
#include <span>

#include <CLI/CLI.hpp>

#include "common/report.h"

namespace usher::app {
namespace {

/// The command line up to the last verb that was understood.
std::string verbs_of(const CLI::App& app, std::string_view program) {
  std::string words(program);
  for (const CLI::App* verb = &app; !verb->get_subcommands().empty();) {
    verb = verb->get_subcommands().back();
    words += ' ' + verb->get_name();
  }
  return words;
}

}  // namespace

bool wants_json(int argc, char** argv) {
  for (const std::string_view argument : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    if (argument == "--") return false;
    if (argument == "--json") return true;
  }
  return false;
}

void add_json_flag(CLI::App& app, bool& json, std::initializer_list<std::string_view> but) {
  app.add_flag("--json", json, "For programs: JSON on standard output, and errors as JSON on stderr");
  for (CLI::App* verb : app.get_subcommands({})) {
    if (std::ranges::count(but, std::string_view(verb->get_name())) == 0) add_json_flag(*verb, json, but);
  }
}

int end_of_parsing(CLI::App& app, const CLI::ParseError& why, std::string_view program, bool json) {
  if (why.get_exit_code() == 0) {
    static_cast<void>(app.exit(why));
    return finish(program, 0, json);
  }
  // CLI11 checks first whether a verb is missing, and does not mention one that it does not know.
  const std::vector<std::string> unknown = app.remaining(true);
  const bool unknown_verb = dynamic_cast<const CLI::RequiredError*>(&why) != nullptr && !unknown.empty();
  std::string words = unknown_verb ? "there is no \"" + unknown.front() + "\"" : why.what();
  std::ranges::replace(words, '\n', ' ');
  while (words.ends_with('.') || words.ends_with(' ')) words.pop_back();
  return report(program,
                {.fault = Fault::bad_usage,
                 .where = "arguments",
                 .about = std::move(words),
                 .advice = "`" + verbs_of(app, program) + " --help` shows how it is used."},
                json);
}

}  // namespace usher::app
