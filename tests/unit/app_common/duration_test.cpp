#include "common/duration.h"

#include <gtest/gtest.h>

namespace usher::app {
namespace {

TEST(Duration, IsANumberAndAUnit) {
  for (const auto& [text, seconds] :
       {std::pair{"90s", 90}, {"30m", 1800}, {"12h", 43'200}, {"7d", 604'800}, {"2w", 1'209'600}}) {
    const auto read = duration_from_text(text, Seconds::max());
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->count(), seconds) << text;
  }
}

TEST(Duration, AnyOtherTextIsRefused) {
  for (const char* text : {"", "7", "d", "0d", "-1d", "+1d", "7 d", "7dd", "7D", "1.5h", "9223372036854775807w"}) {
    const auto read = duration_from_text(text, Seconds::max());
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().fault, Fault::bad_usage);
  }
}

TEST(Duration, HasALimit) {
  EXPECT_TRUE(duration_from_text("60m", Seconds(3'600)));
  EXPECT_FALSE(duration_from_text("61m", Seconds(3'600)));
  EXPECT_FALSE(duration_from_text("1d", Seconds(3'600)));
}

}  // namespace
}  // namespace usher::app
