// When things are fetched, and fetched again (identity.md §11.2).
#include "server/fetching/refresher.h"

#include <gtest/gtest.h>

#include <semaphore>

#include "support/eventually.h"
#include "support/pki.h"

namespace usher::server::test {
namespace {

using namespace usher::test;

class RefresherTest : public ::testing::Test {
 protected:
  RefresherTest() {
    refresher.start([this](const std::string& name, const std::stop_token&) -> Result<Time> {
      names.push_back(name);  // one at a time: no test has two due fetches
      begun.release();
      EXPECT_TRUE(may_go_on.try_acquire_for(kPatience));
      done.release();
      if (fails) return fail(Fault::unreachable, "test");
      return Time::max();
    });
  }
  ~RefresherTest() override {
    may_go_on.release(100);
    refresher.stop();
  }
  void finish_one() {
    may_go_on.release();
    EXPECT_TRUE(done.try_acquire_for(kPatience));
  }
  ManualClock clock{kNow};
  Refresher refresher{{.refresh = Seconds(3'600), .retry = Seconds(1'000)}, clock, randomness()};
  std::vector<std::string> names;
  std::atomic<bool> fails = false;
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> may_go_on{0};
  std::counting_semaphore<> done{0};
};

TEST_F(RefresherTest, OneFetchIsForAllWhoAsk) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(refresher.want("a", true));
  finish_one();
  // A caller that began before it arrived must ask again; other callers have it.
  EXPECT_TRUE(eventually([&] { return refresher.forget("a"); }));
  EXPECT_EQ(names, std::vector<std::string>{"a"});
}

TEST_F(RefresherTest, WhatJustCameIsWorthAskingAgain) {
  EXPECT_TRUE(refresher.want("a", true));
  finish_one();
  EXPECT_TRUE(refresher.want("a", false));
}

TEST_F(RefresherTest, AFailureIsNotTriedAgainForEverybodyWhoAsks) {
  fails = true;
  EXPECT_TRUE(refresher.want("a", true));
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.has_failed("a"); }));
  EXPECT_TRUE(eventually([&] { return !refresher.want("a", true); }));
  EXPECT_EQ(names.size(), 1U);
  fails = false;
  refresher.hasten("a");
  finish_one();
  EXPECT_TRUE(eventually([&] { return !refresher.has_failed("a"); }));
  EXPECT_EQ(names.size(), 2U);
}

TEST_F(RefresherTest, WhatIsBeingFetchedIsNotForgotten) {
  refresher.add("a");
  ASSERT_TRUE(begun.try_acquire_for(kPatience));
  EXPECT_FALSE(refresher.forget("a"));
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.forget("a"); }));
  EXPECT_FALSE(refresher.has_failed("a"));
}

TEST_F(RefresherTest, WhatIsAtHandIsFetchedWhenThreeQuartersOfItsTimeAreOverGiveOrTakeATenth) {
  refresher.add("a", clock.now() + Seconds(1'000));
  clock.advance(Seconds(670));
  refresher.add("b");  // the item that is due longest is fetched first
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.forget("b"); }));
  EXPECT_EQ(names, std::vector<std::string>{"b"});
  clock.advance(Seconds(160));
  static_cast<void>(refresher.want("a", false));  // a call wakes the threads, which may be fetching already
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.forget("a"); }));
  EXPECT_EQ(names, (std::vector<std::string>{"b", "a"}));
}

TEST_F(RefresherTest, EachFailureDoublesThePause) {
  fails = true;
  EXPECT_TRUE(refresher.want("a", true));
  EXPECT_TRUE(begun.try_acquire_for(kPatience));
  finish_one();
  for (const int pause : {1'000, 2'000, 3'600, 3'600}) {  // seconds, give or take a quarter; an hour at most
    EXPECT_TRUE(eventually([&] { return !refresher.want("a", true); }));
    clock.advance(Seconds(pause * 74 / 100));
    EXPECT_FALSE(refresher.want("a", true));
    EXPECT_FALSE(begun.try_acquire());
    clock.advance(Seconds(pause * 52 / 100));
    EXPECT_FALSE(refresher.want("a", true));
    EXPECT_TRUE(begun.try_acquire_for(kPatience));
    finish_one();
  }
}

TEST_F(RefresherTest, WhoAsksAfterAFailureIsNotKeptWaitingForFurtherAttempts) {
  fails = true;
  EXPECT_TRUE(refresher.want("a", true));  // the first attempt is worth waiting for
  EXPECT_TRUE(begun.try_acquire_for(kPatience));
  EXPECT_TRUE(refresher.want("a", true));
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.has_failed("a"); }));
  fails = false;
  refresher.hasten("a");
  EXPECT_TRUE(begun.try_acquire_for(kPatience));
  EXPECT_FALSE(refresher.want("a", true));  // the second one runs
  finish_one();
  // It arrived: a caller that asked before must ask again.
  EXPECT_TRUE(eventually([&] { return refresher.want("a", false); }));
}

TEST_F(RefresherTest, WhatIsHastenedWhileItIsFetchedIsFetchedOnceMore) {
  refresher.add("a");
  ASSERT_TRUE(begun.try_acquire_for(kPatience));
  refresher.hasten("a");
  finish_one();
  ASSERT_TRUE(begun.try_acquire_for(kPatience));
  finish_one();
  EXPECT_TRUE(eventually([&] { return refresher.forget("a"); }));
  EXPECT_EQ(names.size(), 2U);
}

TEST_F(RefresherTest, NobodyFetchesAfterTheEnd) {
  refresher.stop();
  EXPECT_FALSE(refresher.want("a", true));
}

}  // namespace
}  // namespace usher::server::test
