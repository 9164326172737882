#include "common/report.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/descriptor.h"
#include "base/encoding.h"
#include "base/os_error.h"
#include "common/json.h"
#include "common/output.h"

namespace usher::app {

std::string error_json(const Error& error, std::optional<int> status) {
  return boost::json::serialize(boost::json::object{{"error", json_of(error, status)}});
}

int report(std::string_view program, const Error& error, bool json, std::optional<int> ends_with) {
  const int status = ends_with.value_or(static_cast<int>(exit_class_of(error.fault)));
  // A file's name can hold anything. None of it may reach the terminal as a control sequence.
  const std::string text =
      json ? error_json(error, status) + "\n"
           : std::string(program) + ": " + printable(explain(error)) + " [" + std::string(code_of(error.fault)) + "]\n";
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  return status;
}

Error error_of(const std::exception& exception) {
  const auto* system = dynamic_cast<const std::system_error*>(&exception);
  const int number = system == nullptr ? 0 : system->code().default_error_condition().value();
  if (number == EMFILE || number == ENFILE) return {Fault::too_few_descriptors, "main"};
  return {Fault::local, "main", exception.what()};
}

void Batch::refused(const Error& error) {
  const int status = report(program_, error, json_);
  if (status_ == 0) status_ = status;
}

Result<> confirm(const std::string& question, std::string_view flag) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.is_open()) {
    return fail(Fault::bad_usage, "confirm", "there is no terminal to ask on",
                "Add " + std::string(flag) + " to say yes.");
  }
  const std::string text = printable(question) + " [y/N] ";
  if (::write(terminal.get(), text.data(), text.size()) < 0) return fail_errno("confirm", "the terminal");
  std::string answer(64, '\0');
  ssize_t got = 0;
  do {
    got = ::read(terminal.get(), answer.data(), answer.size());
  } while (got < 0 && errno == EINTR);
  answer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (answer == "y\n" || answer == "Y\n" || answer == "yes\n") return {};
  return fail(Fault::cancelled, "confirm");
}

int finish(std::string_view program, int status, bool json) {
  const auto written = finish_output();
  if (written) return status;
  const int failed = report(program, written.error(), json);
  return status != 0 ? status : failed;
}

}  // namespace usher::app
