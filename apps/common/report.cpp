#include "common/report.h"

#include <cstdio>

#include "base/encoding.h"

namespace usher::app {

int report(std::string_view program, const Error& error) {
  // A file's name can hold anything: nothing of it may reach the terminal as a control sequence.
  const std::string text =
      std::string(program) + ": " + printable(explain(error)) + " [" + std::string(code_of(error.fault)) + "]\n";
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  return static_cast<int>(exit_class_of(error.fault));
}

}  // namespace usher::app
