// usher-press: the distributor's program.  Makes releases, shows and verifies them.
#include <CLI/CLI.hpp>
#include <exception>

#include <sys/resource.h>

#include "commands.h"
#include "common/arguments.h"
#include "common/output.h"
#include "common/report.h"
#include "crypto/random.h"
#include "keys.h"
#include "progress.h"

namespace usher::press {

void add_trust_options(CLI::App& verb, TrustOptions& options) {
  verb.add_option("--trust", options.anchors, "Follow certificates to these roots (PEM)")->option_text("FILE");
  verb.add_option("--crl", options.crls, "With --trust: revocation list of an authority (PEM), once for each")
      ->option_text("FILE")
      ->allow_extra_args(false);
  verb.add_flag("--no-revocation", options.no_revocation, "With --trust: do without revocation lists");
  verb.add_option("--accept-eku", options.mapping.any_eku, "Take certificates made elsewhere that have this key usage")
      ->option_text("OID")
      ->allow_extra_args(false);
  verb.add_flag("--accept-without-eku", options.mapping.accept_without_eku,
                "Take certificates made elsewhere that name no key usage");
}

}  // namespace usher::press

namespace {

using namespace usher;

constexpr const char* kExamples = R"(Examples:
  usher-press press *.ogg --key label.key --cert label.pem --for operator.pem --out releases
  usher-press press talk.flac --key label.key --cert label.pem --for operator.pem --trust root.pem --crl root.crl
      --title "The hearing of 4 May" --chunk-size 256KiB --manifest-out
  usher-press inspect releases/Awakening.usher                     sizes, ids, for whom; no key needed
  usher-press inspect releases/Awakening.manifest --json           your own copy of the manifest
  usher-press inspect Awakening.usher --key operator.key           everything, as the operator sees it
  usher-press verify Awakening.usher --key operator.key --trust root.pem --crl root.crl

The passphrase of a key is asked for, or read from --passphrase-file or --passphrase-fd.)";

int run(int argc, char** argv) {
  const SystemClock clock;
  crypto::SystemRandom random;
  press::Context context{.clock = clock, .random = random};
  CLI::App app{"usher-press: turns media files into releases that one operator can open."};
  app.footer(kExamples);
  app.set_version_flag("--version", USHER_VERSION);
  app.require_subcommand(1);
  press::add_press_command(app, context);
  press::add_inspect_command(app, context);
  press::add_verify_command(app, context);
  app::add_json_flag(app, context.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app::end_of_parsing(app, error, "usher-press", app::wants_json(argc, argv));
  }
  if (!context.action) return static_cast<int>(ExitClass::usage);
  press::catch_interrupts();
  const auto done = context.action();
  return done ? app::finish("usher-press", context.status, context.json)
              : app::report("usher-press", done.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  usher::app::reserve_standard_descriptors();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return usher::app::report("usher-press", usher::app::error_of(error), usher::app::wants_json(argc, argv));
  }
}
