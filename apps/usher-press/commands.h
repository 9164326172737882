// usher-press/commands: the commands. Each adds itself to the command line.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "common/command_line.h"

namespace usher::press {

struct TrustOptions;

/// Lives as long as main().
struct Context {
  const Clock& clock;
  Random& random;
  /// The exit status of main() if the action succeeds: the first error's status, for a batch that continued after an
  /// error.
  int status = 0;
  /// Results on standard output, and errors on stderr, are JSON (docs/reference/json.md).
  bool json = false;
};

void add_press_command(const app::Command& program, Context& context);
void add_inspect_command(const app::Command& program, Context& context);
void add_verify_command(const app::Command& program, Context& context);

/// `--trust` and the options that belong to it, for a verb.
void add_trust_options(const app::Command& verb, TrustOptions& options);

}  // namespace usher::press
