// A stranger can cause refused handshakes without end, but not lines in the log.
#include <gtest/gtest.h>

#include "server/runtime/log.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

TEST(LogLimitTest, AfterTheLastLineOfAMinuteEventsAreCountedAndNotLogged) {
  LogLimit limit(2);
  EXPECT_EQ(limit.take(kNow), 0U);
  EXPECT_EQ(limit.take(kNow + Seconds{59}), 0U);
  EXPECT_FALSE(limit.take(kNow + Seconds{59}));
  EXPECT_FALSE(limit.take(kNow + Seconds{59}));
  EXPECT_EQ(limit.take(kNow + Seconds{60}), 2U);
  EXPECT_EQ(limit.take(kNow + Seconds{60}), 0U);
  EXPECT_FALSE(limit.take(kNow + Seconds{119}));
}

TEST(LogLimitTest, AClockThatIsSetBackBeginsAMinute) {
  LogLimit limit(1);
  EXPECT_EQ(limit.take(kNow), 0U);
  EXPECT_EQ(limit.take(kNow - Seconds{3600}), 0U);
}

}  // namespace
}  // namespace usher::server::test
