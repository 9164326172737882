#include "wire/revocation_lists.h"

#include <gtest/gtest.h>

namespace usher::wire {
namespace {

TEST(RevocationLists, AreACountAndLengthsOf24Bits) {
  const RevocationLists two{.lists = {{7}, {8, 9}}};
  EXPECT_EQ(two.encode(), (Bytes{2, 0, 0, 1, 7, 0, 0, 2, 8, 9}));
  const auto decoded = RevocationLists::decode(two.encode());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->lists, two.lists);
  EXPECT_TRUE(RevocationLists::decode(Bytes{0})->lists.empty());
}

TEST(RevocationLists, AnyOtherFormIsRefused) {
  Bytes too_many(1 + 33 * 4, 0);
  too_many[0] = 33;
  for (std::size_t i = 0; i < 33; ++i) too_many[1 + 4 * i + 2] = 1;
  for (const Bytes& bad : {Bytes{}, Bytes{1}, Bytes{1, 0, 0, 0}, Bytes{1, 0, 0, 2, 7}, Bytes{1, 0, 0, 1, 7, 0},
                           Bytes{2, 0, 0, 1, 7}, Bytes{0, 0}, too_many}) {
    const auto decoded = RevocationLists::decode(bad);
    ASSERT_FALSE(decoded.has_value()) << bad.size();
    EXPECT_EQ(decoded.error().fault, Fault::malformed);
  }
  EXPECT_EQ(RevocationLists::decode(Bytes(kMaxHandedBytes + 1)).error().fault, Fault::too_long);
}

}  // namespace
}  // namespace usher::wire
