// usher-press/progress: how far it is, on a terminal; and Ctrl-C, which ends the work and not the program.
#pragma once

#include <string>

#include "media/release.h"

namespace usher::press {

/// From now on Ctrl-C and SIGTERM make every Progress answer "cancel".
void catch_interrupts();
[[nodiscard]] bool was_interrupted() noexcept;

/// A line on stderr if that is a terminal: "Awakening.ogg  sealing  45 %". Wiped when the last copy goes.
[[nodiscard]] media::Progress progress_line(const std::string& what);

}  // namespace usher::press
