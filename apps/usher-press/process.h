// usher-press/process: another program as a child: no shell, arguments as a list, output as it comes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::press {

struct Command {
  std::string program;                 // found in PATH
  std::vector<std::string> arguments;  // without the program's name
  std::vector<int> files;              // the child has them as descriptors 3, 4, …; borrowed
};

struct Ended {
  int status = 0;      // of exit; 128 and the signal's number where a signal ended it
  std::string errors;  // the beginning of what it wrote to stderr
};

/// Given the child's output as it comes. An error ends the child, and is what run() answers.
using Output = std::function<Result<>(View bytes)>;

/// Runs it to its end. Its input is empty; it goes when this program goes. Waits forever: programs that could hang are
/// not for it. Errors: ffmpeg_missing, it cannot be started; cancelled, Ctrl-C was pressed; those of `output`; io.
[[nodiscard]] Result<Ended> run(const Command& command, const Output& output = {});

}  // namespace usher::press
