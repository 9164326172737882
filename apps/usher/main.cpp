// usher: the listener's program.  A menu on a terminal, verbs for scripts.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>

#include <unistd.h>

#include "card.h"
#include "card/card_agent.h"
#include "client/play/play_memory.h"
#include "common/arguments.h"
#include "common/output.h"
#include "common/report.h"
#include "console.h"
#include "crypto/random.h"
#include "get.h"
#include "json.h"
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
void add_key_flag(CLI::App& app, Context& context, const std::string& flag, const std::string& key,
                  const std::string& value_name) {
  cli::Config any;
  const app::Settings settings = settings_of(any);
  const app::Key* known = settings.find(key);
  app.add_option_function<std::string>(
         flag, [&context, key](const std::string& value) { context.options.flags.emplace_back(key, value); },
         known != nullptr ? std::string(known->help) : key)
      ->option_text(value_name);
}

void add_options(CLI::App& app, Context& context) {
  cli::Options& options = context.options;
  app.add_option("--home", options.home, "Directory of configuration and licences, in place of the XDG ones")
      ->option_text("DIR");
  app.add_option("--config", options.config_file, "Configuration file")->option_text("FILE");
  app.add_option("--set", options.set, "Set any key of the configuration")->option_text("KEY=VALUE...")->take_all();
  add_key_flag(app, context, "--url", "connection.url", "URL");
  add_key_flag(app, context, "--server-name", "connection.server_name", "NAME");
  add_key_flag(app, context, "--server-key", "connection.server_key", "SHA256");
  add_key_flag(app, context, "--module", "card.modules", "FILE");
  add_key_flag(app, context, "--profile", "card.profile", "NAME");
  add_key_flag(app, context, "--player", "player.command", "PLAYER");
  add_key_flag(app, context, "--window", "player.window", "N");
  add_key_flag(app, context, "--token", "card.token", "LABEL");
  add_key_flag(app, context, "--slot", "card.slot", "NUMBER");
  add_key_flag(app, context, "--card-certificate", "card.certificate", "FINGERPRINT");
  app.add_option("--pin-file", options.pin.file, "Read the card's PIN from this file")->option_text("FILE");
  app.add_option("--pin-fd", options.pin.descriptor, "Read the card's PIN from this descriptor")->option_text("FD");
  app.add_flag("--last-try", options.last_try, "Use the PIN even if the card has one try left");
  app.add_option("--passphrase-file", options.passphrase.file, "Read the key's passphrase from this file")
      ->option_text("FILE");
  app.add_option("--passphrase-fd", options.passphrase.descriptor, "Read the key's passphrase from this descriptor")
      ->option_text("FD");
  app.add_flag("--quiet,-q", options.quiet, "Print results and errors only");
  app.add_flag("--progress", options.progress, "Print progress even if stderr is not a terminal");
  app.add_flag("--no-color", options.no_color, "No colours; as the variable NO_COLOR");
}

struct Wishes {
  cli::BuyWish buy{};
  cli::PlayWish play{};
  cli::GetWish get{};
  cli::OpenWish open{};
  std::function<Result<>()> action{};
};

CLI::App* add_verb(CLI::App& app, Wishes& wishes, const char* name, const char* help,
                   std::function<Result<>()> action) {
  CLI::App* added = app.add_subcommand(name, help);
  added->fallthrough();
  added->callback([&wishes, action = std::move(action)] { wishes.action = action; });
  return added;
}

void add_file_verbs(CLI::App& app, Context& context, Wishes& wishes) {
  cli::GetWish& wish = wishes.get;
  CLI::App* get = add_verb(app, wishes, "get", "Fetch files from the file stream",
                           [&] { return cli::do_get(context, wishes.get); });
  get->add_option("server", wish.server, "Host and port of the file stream")->required()->option_text("HOST:PORT");
  get->add_option("names", wish.names, "Files of the server, or with --list beginnings of names")
      ->option_text("NAME...");
  get->add_option("-o,--output", wish.output, "Where it goes: a file, or a directory that is there")
      ->option_text("FILE|DIR");
  get->add_flag("--sealed{gcm}", wish.sealed, "Sealed for this installation's key: gcm (AES-256-GCM), ctr (with HMAC)")
      ->check(CLI::IsMember({"gcm", "ctr"}));
  get->add_flag("--list", wish.list, "Show what there is");
  get->add_flag("--verify", wish.verify, "Compare the digest with the server's");
  get->add_flag("--continue", wish.go_on, "Go on with what was cut, and compare the digest of the whole");
  get->add_flag("--force", wish.force, "Replace what is there");
  add_key_flag(*get, context, "--cert", "installation.certificate", "FILE");
  add_key_flag(*get, context, "--key", "installation.key", "FILE|URI");
  CLI::App* open =
      add_verb(app, wishes, "open", "Open a sealed file", [&] { return cli::do_open(context, wishes.open); });
  open->add_option("file", wishes.open.file, "What usher get --sealed wrote")->required()->option_text("FILE");
  open->add_option("-o,--output", wishes.open.output, "Where it goes; -: standard output")->option_text("FILE");
  open->add_option("--digest", wishes.open.digest, "SHA-256 that the contents must have")->option_text("HEX");
  open->add_flag("--force", wishes.open.force, "Replace what is there");
  add_key_flag(*open, context, "--key", "installation.key", "FILE|URI");
}

void add_verbs(CLI::App& app, Context& context, Wishes& wishes) {
  const auto verb = [&](const char* name, const char* help, std::function<Result<>()> action) {
    return add_verb(app, wishes, name, help, std::move(action));
  };
  verb("list", "Show the catalogue and your licences", [&] { return cli::do_list(context); });
  verb("licences", "Show your licences", [&] { return cli::do_licences(context); });
  CLI::App* buy = verb("buy", "Acquire a licence", [&] { return cli::do_buy(context, wishes.buy); });
  buy->add_option("medium", wishes.buy.medium, "Number in the catalogue, or id")->required()->option_text("NUMBER|ID");
  buy->add_option("--plays", wishes.buy.plays, "1, 5, 10 or 20 plays")->option_text("N");
  buy->add_option("--for", wishes.buy.time, "Any number of plays for a time: 12h, 7d, 2w")->option_text("TIME");
  CLI::App* play = verb("play", "Play a medium", [&] { return cli::do_play(context, wishes.play); });
  play->add_option("medium", wishes.play.medium, "Number in the catalogue, or id")
      ->required()
      ->option_text("NUMBER|ID");
  play->add_option("--licence", wishes.play.licence, "Use this licence, not the one that ends first")
      ->option_text("ID");
  play->add_option("--from", wishes.play.from, "Begin there: 83, 1:23, 1:02:03")->option_text("TIME");
  play->add_flag("--counts", wishes.play.counts, "Begin there even if the play counts at once");
  play->add_flag("--resume", wishes.play.resume, "Carry on with an open play, even if it was begun elsewhere");
  play->add_flag("--fresh", wishes.play.fresh, "Open a new play, even if one was interrupted");
  add_file_verbs(app, context, wishes);
  verb("login", "Keep a login in memory, so that nothing is asked for 12 hours",
       [&] { return cli::do_login(context); });
  verb("logout", "End the logins that are kept", [&] { return cli::do_logout(context); });
  verb("card", "Show readers, cards and certificates, and what is wrong with them",
       [&] { return cli::do_card(context); });
  CLI::App* config = app.add_subcommand("config", "Look at the configuration");
  config->require_subcommand(1);
  config->fallthrough();
  CLI::App* show = config->add_subcommand("show", "Print the settings in force");
  show->fallthrough();
  show->callback([&] { wishes.action = [&] { return cli::do_config_show(context); }; });
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
  if (const auto hardened = client::harden_process(); !hardened) {
    return app::report("usher", hardened.error(), app::wants_json(argc, argv));
  }
  const SystemClock clock;
  crypto::SystemRandom random;
  Context context{.clock = clock, .random = random, .environment = environ};
  if (const char* plain = std::getenv("NO_COLOR"); plain != nullptr && *plain != '\0') context.options.no_color = true;
  Wishes wishes;
  CLI::App app{"usher: listens to recordings under a counted licence."};
  app.footer(kExamples);
  app.set_version_flag("--version", USHER_VERSION);
  app.require_subcommand(0, 1);
  add_options(app, context);
  add_verbs(app, context, wishes);
  app::add_json_flag(app, context.options.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app::end_of_parsing(app, error, "usher", app::wants_json(argc, argv));
  }
  // Programs that read JSON expect no other messages, so --json implies quiet.
  if (context.options.json) context.options.quiet = true;
  if (!wishes.action) {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
      return finish(context, fail(Fault::bad_usage, "menu", "the menu needs a terminal; scripts use a verb"));
    }
    wishes.action = [&] { return cli::do_menu(context); };
  }
  return finish(context, wishes.action());
}

}  // namespace

int main(int argc, char** argv) {
  app::reserve_standard_descriptors();
  try {
    if (const auto agent = card::card_agent_requested(argc, argv)) return card::run_card_agent(*agent);
    return run(argc, argv);
  } catch (const std::exception& error) {
    // Too few descriptors, out of memory, or a bug; the text about a bug is for developers.
    return app::report("usher", app::error_of(error), app::wants_json(argc, argv));
  }
}
