// common/terminal_input: input from the controlling terminal while signals may arrive.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace usher::app {

/// Becomes true when a signal, or another reason, ends the wait.
using Stopped = std::function<bool()>;

/// Whether this process may change and read the terminal. In the background, that would stop it.
[[nodiscard]] bool in_foreground(int terminal) noexcept;

/// Waits until `terminal` can be read without blocking, or has ended: true; or until `stopped()` is true: false.
/// Checks `stopped` every 100 ms, so that a signal whose handler runs just before the wait, or in another thread, is
/// not lost.
[[nodiscard]] bool wait_for_input(int terminal, const Stopped& stopped);

/// Writes `question` to the controlling terminal and returns the line that is typed, without its end, 64 bytes at most.
/// Errors: bad_usage, there is no terminal; cancelled, `stopped()` or the end of the input; io.
[[nodiscard]] Result<std::string> ask_terminal(std::string_view question, const Stopped& stopped);

}  // namespace usher::app
