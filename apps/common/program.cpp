#include "common/program.h"

#include <cerrno>
#include <exception>
#include <system_error>

#include "base/process_memory.h"
#include "common/output.h"
#include "common/report.h"

namespace usher::app {
namespace {

/// Too few descriptors, out of memory, or a bug; the text about a bug is for developers.
Error error_of(const std::exception& exception) {
  const auto* system = dynamic_cast<const std::system_error*>(&exception);
  const int number = system == nullptr ? 0 : system->code().default_error_condition().value();
  if (number == EMFILE || number == ENFILE) return {Fault::too_few_descriptors, "main"};
  return {Fault::local, "main", exception.what()};
}

}  // namespace

int run_program(std::string_view name, Memory memory, int argc, char** argv, int (*run)(int, char**)) {
  reserve_standard_descriptors();
  try {
    const auto done = memory == Memory::secret ? make_memory_private() : forbid_core_files();
    return done ? run(argc, argv) : report(name, done.error(), wants_json(argc, argv));
  } catch (const std::exception& exception) {
    return report(name, error_of(exception), wants_json(argc, argv));
  }
}

}  // namespace usher::app
