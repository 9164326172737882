// usherd: the server, and the operator's verbs that work on its data.
#include <cstdlib>
#include <exception>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include "common/arguments.h"
#include "common/output.h"
#include "common/report.h"
#include "crypto/random.h"
#include "usherd/home/home.h"

namespace {

using namespace usher;

constexpr const char* kExamples = R"(Examples:
  usherd --home /srv/usher init --id media.example.org      make a home: configuration and own keys
  usherd --home /srv/usher config check                     before starting or reloading
  usherd --home /srv/usher media add album/*.usher          import releases; the server may be running
  usherd --home /srv/usher media list
  usherd --home /srv/usher serve
  usherd --home /srv/usher licence issue --card ana.pem --medium 3f9a --plays 5
  usherd --home /srv/usher licence list --json
  usherd check-chain --trust root.pem --crl lists.pem --purpose user card.pem

Settings come from <home>/usherd.toml, then USHER_* variables, then --set and other flags: the later ones win.)";

/// Keeps keys and media out of core files and away from debuggers of the same user.
void keep_memory_private() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int run(int argc, char** argv) {
  const SystemClock clock;
  crypto::SystemRandom random;
  usherd::Context context{.clock = clock, .random = random};
  if (const char* home = std::getenv("USHER_HOME"); home != nullptr) context.home = home;

  CLI::App app{"usherd: serves confidential recordings to identified people, a counted number of times."};
  app.footer(kExamples);
  app.set_version_flag("--version", USHER_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--home", context.home, "Directory of configuration, keys and data (USHER_HOME; default: XDG)");
  app.add_option("--config", context.config_file, "Configuration file (default: <home>/usherd.toml)");
  app.add_option("--set", context.set, "KEY=VALUE: a configuration key for this run; lists with commas; repeatable")
      ->expected(1)
      ->take_all();
  app.add_option("--passphrase-file", context.passphrase.file, "File with the passphrase of the server's keys");
  app.add_option("--passphrase-fd", context.passphrase.descriptor, "Open descriptor to read that passphrase from");
  app.add_option("--pin-file", context.pin.file, "File with the PIN of the tokens that have keys");
  app.add_option("--pin-fd", context.pin.descriptor, "Open descriptor to read that PIN from");
  usherd::add_init_command(app, context);
  usherd::add_serve_command(app, context);
  usherd::add_media_command(app, context);
  usherd::add_licence_command(app, context);
  usherd::add_persons_command(app, context);
  usherd::add_vault_key_command(app, context);
  usherd::add_rotate_command(app, context);
  usherd::add_config_command(app, context);
  usherd::add_check_chain_command(app, context);
  app::add_json_flag(app, context.json, {"serve"});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app::end_of_parsing(app, error, "usherd", app::wants_json(argc, argv));
  }
  if (!context.action) return static_cast<int>(ExitClass::usage);
  const auto done = context.action();
  if (done) return app::finish("usherd", context.status, context.json);
  const auto told = advised(Result<>(std::unexpected(done.error())),
                            done.error().fault == Fault::bad_config ? "Correct it and run `usherd config check`." : "");
  return app::report("usherd", told.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory_private();
  usher::app::reserve_standard_descriptors();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return usher::app::report("usherd", usher::app::error_of(error), usher::app::wants_json(argc, argv));
  }
}
