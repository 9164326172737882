#include "common/command_line.h"

#include <algorithm>
#include <span>
#include <utility>

#include <CLI/CLI.hpp>

#include "common/report.h"

namespace usher::app {
namespace {

/// The command line up to the last command that was understood.
std::string commands_of(const CLI::App& app, std::string words) {
  for (const CLI::App* command = &app; !command->get_subcommands().empty();) {
    command = command->get_subcommands().back();
    words += ' ' + command->get_name();
  }
  return words;
}

void add_json_flag(CLI::App& app, bool& json, const std::vector<std::string>& without) {
  app.add_flag("--json", json, "For programs: JSON on standard output, and errors as JSON on stderr");
  for (CLI::App* command : app.get_subcommands({})) {
    if (std::ranges::count(without, command->get_name()) == 0) add_json_flag(*command, json, without);
  }
}

/// The exit status after the parser has thrown. Shows the help or reports the error.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& why, const std::string& program, bool json) {
  if (why.get_exit_code() == 0) {
    static_cast<void>(app.exit(why));
    return finish(program, 0, json);
  }
  // CLI11 checks first whether a command is missing, and does not mention one that it does not know.
  const std::vector<std::string> unknown = app.remaining(true);
  const bool unknown_command = dynamic_cast<const CLI::RequiredError*>(&why) != nullptr && !unknown.empty();
  std::string words = unknown_command ? "there is no \"" + unknown.front() + "\"" : why.what();
  std::ranges::replace(words, '\n', ' ');
  while (words.ends_with('.') || words.ends_with(' ')) words.pop_back();
  return report(program,
                {.fault = Fault::bad_usage,
                 .where = "arguments",
                 .about = std::move(words),
                 .advice = "`" + commands_of(app, program) + " --help` shows how it is used."},
                json);
}

}  // namespace

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::value_name(const std::string& name) const {
  option_->option_text(name);
  return *this;
}

Option Option::with_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::between(double least, double most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::between(int least, int most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::between(std::uint32_t least, std::uint32_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::one_of(const std::vector<std::string>& values) const {
  option_->check(CLI::IsMember(values));
  return *this;
}

Option Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::needs(const Option& other) const {
  option_->needs(other.option_);
  return *this;
}

Option Option::one_at_a_time() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::or_variable(const std::string& name) const {
  option_->envname(name);
  return *this;
}

bool Option::given() const { return option_->count() > 0; }

Command Command::command(const std::string& name, const std::string& help) const {
  return {app_->add_subcommand(name, help), chosen_};
}

void Command::also(const std::string& name) const { app_->alias(name); }

void Command::needs_command() const { app_->require_subcommand(1); }

void Command::takes_outer_options() const { app_->fallthrough(); }

void Command::footer(const std::string& text) const { app_->footer(text); }

void Command::action(Action action) const {
  app_->callback([chosen = chosen_, action = std::move(action)] { *chosen = action; });
}

template <OptionValue T>
Option Command::option(const std::string& name, T& value, const std::string& help) const {
  return Option(app_->add_option(name, value, help));
}
template Option Command::option(const std::string&, std::string&, const std::string&) const;
template Option Command::option(const std::string&, std::filesystem::path&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::string>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<std::string>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<std::filesystem::path>&, const std::string&) const;
template Option Command::option(const std::string&, int&, const std::string&) const;
template Option Command::option(const std::string&, std::uint16_t&, const std::string&) const;
template Option Command::option(const std::string&, std::uint32_t&, const std::string&) const;
template Option Command::option(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::option(const std::string&, double&, const std::string&) const;

Option Command::option(const std::string& name, const std::function<void(const std::string&)>& take,
                       const std::string& help) const {
  return Option(app_->add_option_function<std::string>(name, take, help));
}

Option Command::size(const std::string& name, std::uint64_t& bytes, const std::string& help) const {
  return Option(app_->add_option(name, bytes, help)->transform(CLI::AsSizeValue(false)));
}

Option Command::flag(const std::string& name, bool& value, const std::string& help) const {
  return Option(app_->add_flag(name, value, help));
}

Option Command::flag(const std::string& name, const std::string& usual, std::string& value,
                     const std::string& help) const {
  return Option(app_->add_flag(name + "{" + usual + "}", value, help));
}

CommandLine::CommandLine(std::string_view name, const std::string& about, const std::string& version)
    : name_(name), app_(std::make_unique<CLI::App>(about)) {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(0, 1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::program() { return {app_.get(), &chosen_}; }

std::expected<Action, int> CommandLine::parse(int argc, char** argv, bool& json,
                                              const std::vector<std::string>& without) {
  add_json_flag(*app_, json, without);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return std::unexpected(end_of_parsing(*app_, why, name_, wants_json(argc, argv)));
  }
  return chosen_;
}

bool wants_json(int argc, char** argv) {
  for (const std::string_view argument : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    if (argument == "--") return false;
    if (argument == "--json") return true;
  }
  return false;
}

}  // namespace usher::app
