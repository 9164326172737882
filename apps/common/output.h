// apps/common/output: whether what a program said has arrived.
#pragma once

#include "base/display.h"
#include "base/result.h"

namespace usher::app {

/// First of all in main(): where standard input, output or error is closed, its number is taken by what reads and writes
/// nothing, so that no file or socket gets it. Writing there still fails.
void reserve_standard_descriptors() noexcept;

/// Gives out what is buffered for standard output, and tells whether all of it since the program's start was taken.
/// A program calls it once, at its end: a full disk or a closed pipe is a failure, as any other.
/// Errors: output_failed.
[[nodiscard]] Result<> finish_output();

/// The present width of the terminal, in columns. kAnyWidth: the descriptor is no terminal, or its width is unknown.
[[nodiscard]] std::size_t terminal_columns(int descriptor) noexcept;

}  // namespace usher::app
