// usher-press/progress: a progress line on a terminal; and Ctrl-C, which cancels the work but does not kill the
// program.
#pragma once

#include <string>

#include "media/release.h"

namespace usher::press {

/// After this call, Ctrl-C and SIGTERM make every Progress return "cancel".
void catch_interrupts();
[[nodiscard]] bool was_interrupted() noexcept;

/// A line on stderr if that is a terminal: "Awakening.ogg  sealing  45 %". Erased when the last copy is destroyed.
[[nodiscard]] media::Progress progress_line(const std::string& what);

}  // namespace usher::press
