// usher-ca: the certificate authority.  Creates the hierarchies, issues and revokes certificates, publishes lists.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>

#include "commands.h"
#include "common/arguments.h"
#include "common/output.h"
#include "common/passphrase.h"
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

  CLI::App app{"usher-ca: creates usher's authorities, issues and revokes certificates, publishes revocation lists."};
  app.footer(kExamples);
  app.set_version_flag("--version", USHER_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--home", context.home, "The authorities' directory")->envname("USHER_CA_HOME")->capture_default_str();
  app.add_option("--passphrase-file", source.file, "File with the passphrase of the authorities' keys");
  app.add_option("--passphrase-fd", source.descriptor, "Open descriptor to read that passphrase from");
  ca::add_init_command(app, context);
  ca::add_issue_command(app, context);
  ca::add_revoke_command(app, context);
  ca::add_crl_command(app, context);
  ca::add_list_command(app, context);
  ca::add_rotate_command(app, context);
  ca::add_card_command(app, context);
  app::add_json_flag(app, context.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app::end_of_parsing(app, error, "usher-ca", app::wants_json(argc, argv));
  }
  if (!context.action) return static_cast<int>(ExitClass::usage);
  const auto done = context.action();
  return done ? app::finish("usher-ca", 0, context.json) : app::report("usher-ca", done.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  usher::app::reserve_standard_descriptors();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return usher::app::report("usher-ca", usher::app::error_of(error), usher::app::wants_json(argc, argv));
  }
}
