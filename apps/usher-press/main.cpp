// usher-press: the distributor's program. Makes releases, shows and verifies them.
#include "commands.h"
#include "common/program.h"
#include "common/report.h"
#include "crypto/random.h"
#include "keys.h"
#include "progress.h"

namespace usher::press {

void add_trust_options(const app::Command& verb, TrustOptions& options) {
  verb.option("--trust", options.anchors, "Follow certificates to these roots (PEM)").value_name("FILE");
  verb.option("--crl", options.crls, "With --trust: revocation list of an authority (PEM), once for each")
      .value_name("FILE")
      .one_at_a_time();
  verb.flag("--no-revocation", options.no_revocation, "With --trust: do without revocation lists");
  verb.option("--accept-eku", options.mapping.any_eku, "Take certificates made elsewhere that have this key usage")
      .value_name("OID")
      .one_at_a_time();
  verb.flag("--accept-without-eku", options.mapping.accept_without_eku,
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
  app::CommandLine line("usher-press", "usher-press: turns media files into releases that one operator can open.",
                        USHER_VERSION);
  const app::Command program = line.program();
  program.footer(kExamples);
  program.needs_command();
  press::add_press_command(program, context);
  press::add_inspect_command(program, context);
  press::add_verify_command(program, context);
  const auto action = line.parse(argc, argv, context.json);
  if (!action) return action.error();
  press::catch_interrupts();
  const auto done = (*action)();
  return done ? app::finish("usher-press", context.status, context.json)
              : app::report("usher-press", done.error(), context.json);
}

}  // namespace

int main(int argc, char** argv) {
  return usher::app::run_program("usher-press", usher::app::Memory::no_core_files, argc, argv, run);
}
