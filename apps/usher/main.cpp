// usher: the listener's program. A menu on a terminal, verbs for scripts.
#include <cstdlib>

#include <unistd.h>

#include "card.h"
#include "card/card_agent.h"
#include "common/output.h"
#include "common/program.h"
#include "common/report.h"
#include "console.h"
#include "crypto/random.h"
#include "get.h"
#include "kept_login.h"
#include "verbs.h"

namespace {

using namespace usher;
using cli::Context;

constexpr const char* kExamples = R"(Examples:
  usher                                   the menu: list, play, acquire licences
  usher list --json                       catalogue and licences, for programs
  usher buy 3 --plays 5                   five plays of number 3 of the catalogue
  usher buy 3 --for 7d                    any number of plays for seven days
  usher play 3                            pause: space; back or forward: left, right; quit: q
  usher play 3 --player - | my-player     raw media into another player
  usher get host:8443 song.flac --verify  a file of the file stream, its digest compared
  usher get host:8443 song.flac --sealed  the same, sealed for this installation's key
  usher open song.flac.sealed             opens it, later, without the server
  usher login                             asks for passphrase and PIN once: the verbs after it do not, for 12 hours
  usher logout                            ends that
  usher card                              readers, cards, and what is wrong with them
  usher config show                       the settings in force, as TOML

The PIN and the passphrase are asked for, or read from --pin-file, --pin-fd, --passphrase-file, --passphrase-fd.
Guide: docs/guide/listening.md.)";

/// Adds a flag that sets a key of the configuration.
void add_key_flag(const app::Command& command, Context& context, const std::string& flag, const std::string& key,
                  const std::string& value_name) {
  cli::Config any;
  const app::Settings settings = settings_of(any);
  const app::Key* known = settings.find(key);
  command
      .option(
          flag, [&context, key](const std::string& value) { context.options.flags.emplace_back(key, value); },
          known != nullptr ? std::string(known->help) : key)
      .value_name(value_name);
}

void add_options(const app::Command& program, Context& context) {
  cli::Options& options = context.options;
  program.option("--home", options.home, "Directory of configuration and licences, in place of the XDG ones")
      .value_name("DIR");
  program.option("--config", options.config_file, "Configuration file").value_name("FILE");
  program.option("--set", options.set, "Set any key of the configuration").value_name("KEY=VALUE...");
  add_key_flag(program, context, "--url", "connection.url", "URL");
  add_key_flag(program, context, "--server-name", "connection.server_name", "NAME");
  add_key_flag(program, context, "--server-key", "connection.server_key", "SHA256");
  add_key_flag(program, context, "--module", "card.modules", "FILE");
  add_key_flag(program, context, "--profile", "card.profile", "NAME");
  add_key_flag(program, context, "--player", "player.command", "PLAYER");
  add_key_flag(program, context, "--window", "player.window", "N");
  add_key_flag(program, context, "--token", "card.token", "LABEL");
  add_key_flag(program, context, "--slot", "card.slot", "NUMBER");
  add_key_flag(program, context, "--card-certificate", "card.certificate", "FINGERPRINT");
  program.option("--pin-file", options.pin.file, "Read the card's PIN from this file").value_name("FILE");
  program.option("--pin-fd", options.pin.descriptor, "Read the card's PIN from this descriptor").value_name("FD");
  program.flag("--last-try", options.last_try, "Use the PIN even if the card has one try left");
  program.option("--passphrase-file", options.passphrase.file, "Read the key's passphrase from this file")
      .value_name("FILE");
  program.option("--passphrase-fd", options.passphrase.descriptor, "Read the key's passphrase from this descriptor")
      .value_name("FD");
  program.flag("--quiet,-q", options.quiet, "Print results and errors only");
  program.flag("--progress", options.progress, "Print progress even if stderr is not a terminal");
  program.flag("--no-color", options.no_color, "No colours; as the variable NO_COLOR");
}

/// What the commands of the command line ask for.
struct Wishes {
  cli::BuyWish buy{};
  cli::PlayWish play{};
  cli::GetWish get{};
  cli::OpenWish open{};
};

app::Command add_verb(const app::Command& above, const char* name, const char* help, app::Action action) {
  const app::Command verb = above.command(name, help);
  verb.takes_outer_options();
  verb.action(std::move(action));
  return verb;
}

void add_file_verbs(const app::Command& program, Context& context, Wishes& wishes) {
  cli::GetWish& wish = wishes.get;
  const app::Command get =
      add_verb(program, "get", "Fetch files from the file stream", [&] { return cli::do_get(context, wishes.get); });
  get.option("server", wish.server, "Host and port of the file stream").required().value_name("HOST:PORT");
  get.option("names", wish.names, "Files of the server, or with --list beginnings of names").value_name("NAME...");
  get.option("-o,--output", wish.output, "Where it goes: a file, or a directory that is there").value_name("FILE|DIR");
  get.flag("--sealed", "gcm", wish.sealed, "Sealed for this installation's key: gcm (AES-256-GCM), ctr (with HMAC)")
      .one_of({"gcm", "ctr"});
  get.flag("--list", wish.list, "Show what there is");
  get.flag("--verify", wish.verify, "Compare the digest with the server's");
  get.flag("--continue", wish.go_on, "Go on with what was cut, and compare the digest of the whole");
  get.flag("--force", wish.force, "Replace what is there");
  add_key_flag(get, context, "--cert", "installation.certificate", "FILE");
  add_key_flag(get, context, "--key", "installation.key", "FILE|URI");
  const app::Command open =
      add_verb(program, "open", "Open a sealed file", [&] { return cli::do_open(context, wishes.open); });
  open.option("file", wishes.open.file, "What usher get --sealed wrote").required().value_name("FILE");
  open.option("-o,--output", wishes.open.output, "Where it goes; -: standard output").value_name("FILE");
  open.option("--digest", wishes.open.digest, "SHA-256 that the contents must have").value_name("HEX");
  open.flag("--force", wishes.open.force, "Replace what is there");
  add_key_flag(open, context, "--key", "installation.key", "FILE|URI");
}

void add_verbs(const app::Command& program, Context& context, Wishes& wishes) {
  const auto verb = [&](const char* name, const char* help, app::Action action) {
    return add_verb(program, name, help, std::move(action));
  };
  verb("list", "Show the catalogue and your licences", [&] { return cli::do_list(context); });
  verb("licences", "Show your licences", [&] { return cli::do_licences(context); });
  const app::Command buy = verb("buy", "Acquire a licence", [&] { return cli::do_buy(context, wishes.buy); });
  buy.option("medium", wishes.buy.medium, "Number in the catalogue, or id").required().value_name("NUMBER|ID");
  buy.option("--plays", wishes.buy.plays, "1, 5, 10 or 20 plays").value_name("N");
  buy.option("--for", wishes.buy.time, "Any number of plays for a time: 12h, 7d, 2w").value_name("TIME");
  const app::Command play = verb("play", "Play a medium", [&] { return cli::do_play(context, wishes.play); });
  play.option("medium", wishes.play.medium, "Number in the catalogue, or id").required().value_name("NUMBER|ID");
  play.option("--licence", wishes.play.licence, "Use this licence, not the one that ends first").value_name("ID");
  play.option("--from", wishes.play.from, "Begin there: 83, 1:23, 1:02:03").value_name("TIME");
  play.flag("--counts", wishes.play.counts, "Begin there even if the play counts at once");
  play.flag("--resume", wishes.play.resume, "Carry on with an open play, even if it was begun elsewhere");
  play.flag("--fresh", wishes.play.fresh, "Open a new play, even if one was interrupted");
  add_file_verbs(program, context, wishes);
  verb("login", "Keep a login in memory, so that nothing is asked for 12 hours",
       [&] { return cli::do_login(context); });
  verb("logout", "End the logins that are kept", [&] { return cli::do_logout(context); });
  verb("card", "Show readers, cards and certificates, and what is wrong with them",
       [&] { return cli::do_card(context); });
  const app::Command config = program.command("config", "Look at the configuration");
  config.needs_command();
  config.takes_outer_options();
  add_verb(config, "show", "Print the settings in force", [&] { return cli::do_config_show(context); });
  add_verb(config, "keys", "Every key with its default and its meaning, as a Markdown table",
           [&] { return cli::do_config_keys(context); });
}

int finish(const Context& context, Result<> outcome) {
  if (context.status) return *context.status;
  if (outcome) outcome = app::finish_output();
  if (outcome) return 0;
  // After a cancellation by stop(), stopped() has the reason.
  if (outcome.error().fault == Fault::cancelled) {
    if (auto why = cli::Interrupts::stopped()) outcome = std::unexpected(*std::move(why));
  }
  return cli::tell_failure(context.options, outcome.error());
}

int run(int argc, char** argv) {
  if (const auto agent = card::card_agent_requested(argc, argv)) return card::run_card_agent(*agent);
  const SystemClock clock;
  crypto::SystemRandom random;
  Context context{.clock = clock, .random = random, .environment = environ};
  if (const char* plain = std::getenv("NO_COLOR"); plain != nullptr && *plain != '\0') context.options.no_color = true;
  Wishes wishes;
  app::CommandLine line("usher", "usher: listens to recordings under a counted licence.", USHER_VERSION);
  const app::Command program = line.program();
  program.footer(kExamples);
  add_options(program, context);
  add_verbs(program, context, wishes);
  const auto action = line.parse(argc, argv, context.options.json);
  if (!action) return action.error();
  // Programs that read JSON expect no other messages, so --json implies quiet.
  if (context.options.json) context.options.quiet = true;
  if (*action) return finish(context, (*action)());
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return finish(context, fail(Fault::bad_usage, "menu", "the menu needs a terminal; scripts use a verb"));
  }
  return finish(context, cli::do_menu(context));
}

}  // namespace

int main(int argc, char** argv) { return app::run_program("usher", app::Memory::secret, argc, argv, run); }
