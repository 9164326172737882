// Waiting for a key: no signal is lost, at whatever moment its handler runs.
#include "common/terminal_input.h"

#include <gtest/gtest.h>

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"

namespace usher::app {
namespace {

class TerminalInput : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
  Descriptor read_end;
  Descriptor write_end;
};

TEST_F(TerminalInput, ASignalBeforeTheWaitEndsIt) {
  EXPECT_FALSE(wait_for_input(read_end.get(), [] { return true; }));
}

TEST_F(TerminalInput, ASignalThatInterruptsNoCallEndsTheWait) {
  int checks = 0;
  EXPECT_FALSE(wait_for_input(read_end.get(), [&] { return ++checks == 3; }));
}

TEST_F(TerminalInput, AKeyOrTheEndEndsTheWait) {
  ASSERT_EQ(::write(write_end.get(), "y", 1), 1);
  EXPECT_TRUE(wait_for_input(read_end.get(), [] { return false; }));
  char key = 0;
  ASSERT_EQ(::read(read_end.get(), &key, 1), 1);
  write_end = {};
  EXPECT_TRUE(wait_for_input(read_end.get(), [] { return false; }));
}

}  // namespace
}  // namespace usher::app
