// apps/common/program: what every program's main() does.
#pragma once

#include <string_view>

#include "common/command_line.h"

namespace usher::app {

/// What other processes of the same user may see of this process's memory (base/process_memory.h).
enum class Memory : std::uint8_t {
  no_core_files,
  secret,  // no debugger either; a process of another user than root cannot open /dev/fd/<number> then
};

/// Opens closed standard descriptors, protects the memory, calls `run`, and reports an exception. Returns the exit
/// status for main().
[[nodiscard]] int run_program(std::string_view name, Memory memory, int argc, char** argv, int (*run)(int, char**));

}  // namespace usher::app
