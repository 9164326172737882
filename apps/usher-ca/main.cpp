// usher-ca: the certificate authority.  Creates the hierarchies, issues and revokes certificates, publishes lists.
#include <cstdlib>

#include "commands.h"
#include "common/passphrase.h"
#include "common/program.h"
#include "common/report.h"
#include "crypto/random.h"

namespace {

using namespace usher;

constexpr const char* kExamples = R"(Examples:
  usher-ca --home ca init --organisation "Example Records"          the media root
  usher-ca --home ca init --card                                    a card hierarchy for tests: root and sub-CA
  usher-ca --home ca issue server --name media.example.org --ip 2001:db8::1 --out server
  usher-ca --home ca issue client --cn "Kitchen radio" --out client
  usher-ca --home ca issue distributor --cn "Example Records" --out distributor
  usher-ca --home ca issue release-recipient --cn "Example operator" --out operator
  usher-ca --home ca revoke --certificate client.pem --reason key-compromise
  usher-ca --home ca crl --out published                            complete lists of every authority
  usher-ca --home ca crl --delta --out published
  usher-ca --home ca rotate root                                    what to do, in order, to change the root

The passphrase of the authorities' keys is asked for, or read from --passphrase-file or --passphrase-fd.)";

std::filesystem::path default_home() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
    return std::filesystem::path(data) / "usher-ca";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/share/usher-ca";
}

int run(int argc, char** argv) {
  const SystemClock clock;
  crypto::SystemRandom random;
  app::PassphraseSource source;
  std::optional<crypto::Secret> asked;
  ca::Context context{.home = default_home(),
                      .clock = clock,
                      .random = random,
                      .passphrase = [&](bool fresh) -> Result<crypto::Secret> {
                        if (!asked) {
                          USHER_TRY(asked,
                                    fresh ? app::read_new_passphrase(source, "New passphrase of the authority's key: ")
                                          : app::read_passphrase(source, "Passphrase of the authority's key: "));
                        }
                        return asked->clone();
                      }};

  app::CommandLine line(
      "usher-ca", "usher-ca: creates usher's authorities, issues and revokes certificates, publishes revocation lists.",
      USHER_VERSION);
  const app::Command program = line.program();
  program.footer(kExamples);
  program.needs_command();
  program.takes_outer_options();
  program.option("--home", context.home, "The authorities' directory").or_variable("USHER_CA_HOME").with_default();
  program.option("--passphrase-file", source.file, "File with the passphrase of the authorities' keys");
  program.option("--passphrase-fd", source.descriptor, "Open descriptor to read that passphrase from");
  ca::add_init_command(program, context);
  ca::add_issue_command(program, context);
  ca::add_revoke_command(program, context);
  ca::add_crl_command(program, context);
  ca::add_list_command(program, context);
  ca::add_rotate_command(program, context);
  ca::add_card_command(program, context);
  const auto action = line.parse(argc, argv, context.json);
  if (!action) return action.error();
  const auto done = (*action)();
  return done ? app::finish("usher-ca", 0, context.json) : app::report("usher-ca", done.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  return usher::app::run_program("usher-ca", usher::app::Memory::no_core_files, argc, argv, run);
}
