// apps/common/report: how a program tells what went wrong, and ends.
#pragma once

#include "base/result.h"

namespace usher::app {

/// One line to stderr: "usher-press: The data ends too early: song.usher. Get … [truncated]". Returns the exit status.
int report(std::string_view program, const Error& error);

}  // namespace usher::app
