// usherd: the server, and the operator's verbs that work on its data.
#include <cstdlib>

#include "common/program.h"
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

int run(int argc, char** argv) {
  const SystemClock clock;
  crypto::SystemRandom random;
  usherd::Context context{.clock = clock, .random = random};
  if (const char* home = std::getenv("USHER_HOME"); home != nullptr) context.home = home;

  app::CommandLine line("usherd",
                        "usherd: serves confidential recordings to identified people, a counted number of times.",
                        USHER_VERSION);
  const app::Command program = line.program();
  program.footer(kExamples);
  program.needs_command();
  program.takes_outer_options();
  program.option("--home", context.home, "Directory of configuration, keys and data (USHER_HOME; default: XDG)");
  program.option("--config", context.config_file, "Configuration file (default: <home>/usherd.toml)");
  program.option("--set", context.set, "KEY=VALUE: a configuration key for this run; lists with commas; repeatable")
      .one_at_a_time();
  program.option("--passphrase-file", context.passphrase.file, "File with the passphrase of the server's keys");
  program.option("--passphrase-fd", context.passphrase.descriptor, "Open descriptor to read that passphrase from");
  program.option("--pin-file", context.pin.file, "File with the PIN of the tokens that have keys");
  program.option("--pin-fd", context.pin.descriptor, "Open descriptor to read that PIN from");
  usherd::add_init_command(program, context);
  usherd::add_serve_command(program, context);
  usherd::add_media_command(program, context);
  usherd::add_licence_command(program, context);
  usherd::add_persons_command(program, context);
  usherd::add_vault_key_command(program, context);
  usherd::add_rotate_command(program, context);
  usherd::add_config_command(program, context);
  usherd::add_check_chain_command(program, context);
  const auto action = line.parse(argc, argv, context.json, {"serve"});
  if (!action) return action.error();
  const auto done = (*action)();
  if (done) return app::finish("usherd", context.status, context.json);
  const auto told = advised(Result<>(std::unexpected(done.error())),
                            done.error().fault == Fault::bad_config ? "Correct it and run `usherd config check`." : "");
  return app::report("usherd", told.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  return usher::app::run_program("usherd", usher::app::Memory::secret, argc, argv, run);
}
