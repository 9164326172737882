#include "crypto/secret.h"

#include <atomic>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace {

/// The block that is watched, and its first bytes when it was freed: only then does it have no owner.
struct Watch {
  std::atomic<const void*> block = nullptr;
  std::size_t size = 0;
  bool freed = false;
  bool wiped = true;
};
Watch watch;

void give_back(void* block) noexcept {
  if (block != nullptr && watch.block == block) {
    watch.block = nullptr;
    watch.freed = true;
    const auto* bytes = static_cast<const volatile unsigned char*>(block);
    for (std::size_t i = 0; i < watch.size; ++i) watch.wiped = watch.wiped && bytes[i] == 0;
  }
  std::free(block);  // NOLINT: the pair of the malloc below
}

}  // namespace

// For this program alone, so that a buffer can be looked at when it is given back.
void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);  // NOLINT: this is the allocator
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t /*size*/) noexcept { give_back(block); }

namespace usher::crypto {
namespace {

void watch_buffer_of(const Secret& secret) {
  watch.block = secret.expose().data();
  watch.size = secret.size();
  watch.freed = false;
  watch.wiped = true;
}

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
  watch_buffer_of(secret);
  secret = Secret::copy_of(view_of("gh"));
  EXPECT_EQ(text_of(secret.expose()), "gh");
  EXPECT_TRUE(watch.freed);
  EXPECT_TRUE(watch.wiped);
}

TEST(Secret, ItsEndWipesIt) {
  {
    const Secret secret = Secret::copy_of(view_of("abcdef"));
    watch_buffer_of(secret);
  }
  EXPECT_TRUE(watch.freed);
  EXPECT_TRUE(watch.wiped);
}

TEST(Secret, TheWatchSeesWhatIsNotWiped) {
  {
    const Bytes plain{1, 2, 3};
    watch.block = plain.data();
    watch.size = plain.size();
    watch.freed = false;
    watch.wiped = true;
  }
  EXPECT_TRUE(watch.freed);
  EXPECT_FALSE(watch.wiped);
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
