// usher-press/process: runs another program as a child: no shell, arguments as a list, output as it arrives.
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
  int status = 0;      // the exit status; 128 plus the signal's number if a signal ended it
  std::string errors;  // the first bytes that it wrote to stderr
};

/// Receives the child's output as it arrives. An error ends the child, and run() returns it.
using Output = std::function<Result<>(View bytes)>;

/// Runs the program to its end. Its input is empty. It is killed if this program ends. There is no time limit: do not
/// use it for programs that could hang. Errors: ffmpeg_missing, it cannot be started; cancelled, Ctrl-C was pressed;
/// those of `output`; io.
[[nodiscard]] Result<Ended> run(const Command& command, const Output& output = {});

}  // namespace usher::press
