// apps/common/output: standard descriptors, the final flush of standard output, the terminal's width.
#pragma once

#include "base/display.h"
#include "base/result.h"

namespace usher::app {

/// Call first in main(). Where standard input, output or error is closed, opens /dev/null under its number, so that no
/// file or socket gets that number. The program's own reads or writes there still fail.
void reserve_standard_descriptors() noexcept;

/// Flushes standard output. Success: everything written since the program's start was accepted. A program calls it
/// once, at its end: a full disk or a closed pipe is an error like any other.
/// Errors: output_failed.
[[nodiscard]] Result<> finish_output();

/// The current width of the terminal, in columns. kAnyWidth: the descriptor is no terminal, or its width is unknown.
[[nodiscard]] std::size_t terminal_columns(int descriptor) noexcept;

}  // namespace usher::app
