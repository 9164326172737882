// In which order tasks get their turn, with a worker that the test stops and continues.
#include "server/runtime/workers.h"

#include <gtest/gtest.h>
#include <future>

#include "support/eventually.h"

namespace usher::server {
namespace {

/// One worker, which waits until go(); what was done, in order.
class TurnsTest : public ::testing::Test {
 protected:
  explicit TurnsTest() {
    std::promise<void> began;
    const auto blocked = workers.run("gate", [&began, gate = go_.get_future().share()] {
      began.set_value();
      gate.wait();
      return false;
    });
    EXPECT_TRUE(blocked);
    began.get_future().wait();
  }
  void add(const std::string& owner, int steps) {
    const auto queued = workers.run(owner, [this, owner, left = steps]() mutable {
      const std::scoped_lock lock(mutex_);
      done_ += owner;
      return --left > 0;
    });
    EXPECT_TRUE(queued);
  }
  [[nodiscard]] std::string done() {
    go_.set_value();
    EXPECT_TRUE(usher::test::eventually([this] { return workers.jobs() == 0; }));
    const std::scoped_lock lock(mutex_);
    return done_;
  }

  Workers workers{{.threads = 1, .jobs = 6, .jobs_of_one = 4, .at_once = 1}};

 private:
  std::promise<void> go_;
  std::mutex mutex_;
  std::string done_;
};

TEST_F(TurnsTest, OwnersHaveTheirTurnsOneStepAfterTheOther) {
  add("a", 4);
  add("b", 2);
  add("c", 1);
  EXPECT_EQ(done(), "abcabaa");
}

TEST_F(TurnsTest, ManyJobsOfOneDelayAnotherByOneStep) {
  for (int i = 0; i < 4; ++i) add("a", 1);
  add("b", 1);
  EXPECT_EQ(done(), "abaaa");
}

TEST_F(TurnsTest, JobsOfOneOwnerAreDoneInTheOrderOfTheirArrival) {
  std::string order;
  for (const char name : {'1', '2', '3'}) {
    const auto queued = workers.run("a", [&order, name, left = 2]() mutable {
      order += name;
      return --left > 0;
    });
    EXPECT_TRUE(queued);
  }
  static_cast<void>(done());
  EXPECT_EQ(order, "112233");
}

TEST_F(TurnsTest, TooManyJobsAreRefusedAndTheOthersAreDone) {
  for (int i = 0; i < 4; ++i) add("a", 1);
  EXPECT_EQ(workers.run("a", [] { return false; }).error().fault, Fault::server_busy) << "of one";
  add("b", 1);
  EXPECT_EQ(workers.run("c", [] { return false; }).error().fault, Fault::server_busy) << "of all";
  EXPECT_EQ(done(), "abaaa");
}

TEST(Workers, DropWhatWaitsWhenTheyStop) {
  Workers workers({.threads = 1, .at_once = 1});
  const auto held = std::make_shared<int>();
  std::promise<void> began;
  std::promise<void> go;
  const auto first = workers.run("a", [&began, gate = go.get_future().share(), held, steps = 0]() mutable {
    if (++steps == 1) began.set_value();
    gate.wait();
    return true;
  });
  const auto second = workers.run("a", [held] { return false; });
  EXPECT_TRUE(first && second);
  began.get_future().wait();
  std::jthread stopping([&] { workers.stop(); });
  go.set_value();
  stopping.join();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(workers.run("a", [] { return false; }).error().fault, Fault::cancelled);
}

}  // namespace
}  // namespace usher::server
