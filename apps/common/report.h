// apps/common/report: how a program tells what went wrong, and ends.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace usher::app {

/// One line to stderr: "usher-press: The data ends too early: song.usher. Get … [truncated]". Returns the exit status.
/// With `json` as error_json() has it. `ends_with`: the program's status, where it is not the fault's own.
int report(std::string_view program, const Error& error, bool json = false, std::optional<int> ends_with = {});

/// {"error":{"code":…,"message":…,"advice":…,"exit":…}}, as all programs tell it with --json.
[[nodiscard]] std::string error_json(const Error& error, std::optional<int> status = {});

/// What an exception that main() catches means: too_few_descriptors; local for every other one.
[[nodiscard]] Error error_of(const std::exception& exception);

/// Of a verb that does one thing to many objects: it goes on after a refusal, tells each where it happens, and ends with
/// the first one's status.
class Batch {
 public:
  Batch(std::string_view program, bool json) : program_(program), json_(json) {}
  void refused(const Error& error);
  /// 0 where nothing was refused.
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  std::string_view program_;
  bool json_;
  int status_ = 0;
};

/// Asks on the controlling terminal; only "y" and "yes" are a yes. Errors: bad_usage, there is no terminal, and `about`
/// names the flag that answers; cancelled, anything else.
[[nodiscard]] Result<> confirm(const std::string& question, std::string_view flag);

/// What main() ends with: `status`, or, where that is 0, the one of an output that could not be written; reports the latter.
int finish(std::string_view program, int status, bool json = false);

}  // namespace usher::app
