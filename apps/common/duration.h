// apps/common/duration: a length of time on the command line.
#pragma once

#include "base/clock.h"
#include "base/result.h"

namespace usher::app {

/// "90s", "30m", "12h", "7d", "2w": 1 second to `most`. Errors: bad_usage.
[[nodiscard]] Result<Seconds> duration_from_text(std::string_view text, Seconds most);

}  // namespace usher::app
