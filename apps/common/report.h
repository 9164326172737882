// apps/common/report: error messages, exit statuses, and confirmation prompts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace usher::app {

/// Prints one line to stderr: "usher-press: The data ends too early: song.usher. Get … [truncated]". Returns the exit
/// status. With `json` it prints error_json() instead. `ends_with`: the program's status, where it is not the fault's
/// own.
int report(std::string_view program, const Error& error, bool json = false, std::optional<int> ends_with = {});

/// {"error":{"code":…,"message":…,"advice":…,"exit":…}}, the format of all programs with --json.
[[nodiscard]] std::string error_json(const Error& error, std::optional<int> status = {});

/// For a verb that does one thing to many objects. It continues after an error, reports each one when it happens, and
/// ends with the status of the first.
class Batch {
 public:
  Batch(std::string_view program, bool json) : program_(program), json_(json) {}
  void refused(const Error& error);
  /// 0: no error so far.
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  std::string_view program_;
  bool json_;
  int status_ = 0;
};

/// Prompts on the controlling terminal; only "y", "Y" and "yes" confirm. Errors: bad_usage, there is no terminal (its
/// advice names `flag`, which confirms without a prompt); cancelled, any other
/// input; io.
[[nodiscard]] Result<> confirm(const std::string& question, std::string_view flag);

/// The exit status for main(): `status`; or, if `status` is 0 and the output could not be written, the status of that
/// error. Reports a failed output in both cases.
int finish(std::string_view program, int status, bool json = false);

}  // namespace usher::app
