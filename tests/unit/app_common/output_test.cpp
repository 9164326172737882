// A program's output either arrives or is reported as a failure.
#include "common/output.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/report.h"

namespace usher::app {
namespace {

/// The status that finish() returns after `say`, with `file` as standard output, in a process of its own.
int status_of(const char* file, const std::function<void()>& say, int status = 0) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(file, O_WRONLY);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (::dup2(out, STDOUT_FILENO) < 0 || ::dup2(nowhere, STDERR_FILENO) < 0) ::_exit(99);
    say();
    ::_exit(finish("test", status));
  }
  int ended = 0;
  ::waitpid(child, &ended, 0);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

constexpr int kFailed = static_cast<int>(ExitClass::output);

TEST(Output, WhatTheDiskDoesNotTakeIsAFailureOfItsOwn) {
  EXPECT_EQ(status_of("/dev/full", [] { std::printf("a line\n"); }), kFailed);
  EXPECT_EQ(status_of("/dev/full", [] { std::cout << "a line\n"; }), kFailed);
  EXPECT_EQ(status_of("/dev/full", [] { std::printf("%s", std::string(100'000, 'x').c_str()); }), kFailed);
  EXPECT_EQ(status_of("/dev/full",
                      [] {
                        std::printf("a line\n");
                        std::fflush(stdout);  // NOLINT(cert-err33-c): ignored, as in a verb
                      }),
            kFailed);
}

TEST(Output, WhatArrivesAndWhatSaysNothingIsNone) {
  EXPECT_EQ(status_of("/dev/null", [] { std::printf("a line\n"); }), 0);
  EXPECT_EQ(status_of("/dev/full", [] {}), 0);
}

TEST(Output, AFailureOfTheVerbItselfComesFirst) {
  EXPECT_EQ(status_of("/dev/full", [] { std::printf("a line\n"); }, 7), 7);
}

TEST(Output, ABatchEndsWithItsFirstRefusal) {
  const auto status = [](const std::vector<Fault>& faults) {
    return status_of(
        "/dev/null", [] {},
        [&] {
          Batch batch("test", true);
          for (const Fault fault : faults) batch.refused({fault, "test"});
          return batch.status();
        }());
  };
  EXPECT_EQ(status({}), 0);
  EXPECT_EQ(status({Fault::disk_full, Fault::bad_usage}), static_cast<int>(ExitClass::local));
}

}  // namespace
}  // namespace usher::app
