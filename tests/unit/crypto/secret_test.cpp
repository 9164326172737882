#include "crypto/secret.h"

#include <type_traits>

namespace usher::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);

TEST(Wipe, NothingIsLeft) {
  Bytes bytes{1, 2, 3};
  wipe(bytes);
  EXPECT_EQ(bytes, (Bytes{0, 0, 0}));
  wipe({});
}

// The buffer is still allocated after clear() and truncate() (a vector keeps its capacity), so that it may be read.
TEST(Secret, ClearWipesTheBuffer) {
  Secret secret = Secret::copy_of(view_of("hunter2"));
  const std::uint8_t* at = secret.expose().data();
  secret.clear();
  EXPECT_TRUE(secret.empty());
  for (int i = 0; i < 7; ++i) EXPECT_EQ(at[i], 0) << i;
}

TEST(Secret, TruncateWipesWhatItCutsOff) {
  Secret secret = Secret::copy_of(view_of("hunter2"));
  const std::uint8_t* at = secret.expose().data();
  secret.truncate(3);
  EXPECT_EQ(text_of(secret.expose()), "hun");
  for (int i = 3; i < 7; ++i) EXPECT_EQ(at[i], 0) << i;
}

TEST(Secret, TruncateNeverGrows) {
  Secret secret = Secret::copy_of(view_of("abc"));
  secret.truncate(5);
  EXPECT_EQ(secret.size(), 3U);
}

TEST(Secret, AMovedFromSecretIsEmpty) {
  Secret first = Secret::copy_of(view_of("abc"));
  const Secret second = std::move(first);
  EXPECT_EQ(text_of(second.expose()), "abc");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the claim
}

TEST(Secret, AssigningWipesWhatWasThere) {
  Secret secret = Secret::copy_of(view_of("abcdef"));
  secret = Secret::copy_of(view_of("gh"));
  EXPECT_EQ(text_of(secret.expose()), "gh");
}

TEST(Secret, TakeLeavesTheCallerNothing) {
  Bytes bytes{1, 2, 3};
  const Secret secret = Secret::take(std::move(bytes));
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_TRUE(bytes.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the claim
}

TEST(Secret, ACloneIsItsOwn) {
  Secret first = Secret::copy_of(view_of("abc"));
  const Secret second = first.clone();
  first.clear();
  EXPECT_EQ(text_of(second.expose()), "abc");
}

TEST(EqualConstantTime, ComparesLengthAndContent) {
  EXPECT_TRUE(equal_constant_time(view_of("abc"), view_of("abc")));
  EXPECT_FALSE(equal_constant_time(view_of("abc"), view_of("abd")));
  EXPECT_FALSE(equal_constant_time(view_of("abc"), view_of("ab")));
  EXPECT_FALSE(equal_constant_time(view_of("abc"), {}));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace usher::crypto
