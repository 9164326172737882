// usher-press/commands: the verbs. Each adds itself to the command line and sets Context::action if it was chosen.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace usher::press {

struct TrustOptions;

/// Lives as long as main().
struct Context {
  const Clock& clock;
  Random& random;
  /// Set by the chosen verb; main() runs it after the whole command line was parsed.
  std::function<Result<>()> action{};
  /// The exit status of main() if the action succeeds: the first error's status, for a batch that continued after an
  /// error.
  int status = 0;
  /// Results on standard output, and errors on stderr, are JSON (docs/reference/json.md).
  bool json = false;
};

void add_press_command(CLI::App& app, Context& context);
void add_inspect_command(CLI::App& app, Context& context);
void add_verify_command(CLI::App& app, Context& context);

/// `--trust` and the options that belong to it, for a verb.
void add_trust_options(CLI::App& verb, TrustOptions& options);

}  // namespace usher::press
