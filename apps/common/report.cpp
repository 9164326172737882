#include "common/report.h"

#include <cstdio>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.h"
#include "common/json.h"
#include "common/output.h"
#include "common/terminal_input.h"

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

void Batch::refused(const Error& error) {
  const int status = report(program_, error, json_);
  if (status_ == 0) status_ = status;
}

Result<> confirm(const std::string& question, std::string_view flag) {
  const auto answer = ask_terminal(printable(question) + " [y/N] ", [] { return false; });
  if (!answer && answer.error().fault == Fault::bad_usage) {
    return fail(Fault::bad_usage, "confirm", answer.error().about, "Add " + std::string(flag) + " to say yes.");
  }
  if (!answer) return std::unexpected(answer.error());
  if (*answer == "y" || *answer == "Y" || *answer == "yes") return {};
  return fail(Fault::cancelled, "confirm");
}

int finish(std::string_view program, int status, bool json) {
  const auto written = finish_output();
  if (written) return status;
  const int failed = report(program, written.error(), json);
  return status != 0 ? status : failed;
}

}  // namespace usher::app
