// Attacks on the free part: it adds up for each person and medium, whatever a listener does.  licence.md §5.2, §5.3.
#include "cheat.h"

namespace usher::server::test {
namespace {

class FreePart : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(world.store->verify()); }

  World world{{}, generous()};
};

TEST_F(FreePart, OfManyPlaysAtOnceIsOne) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  cheat.buy(kMedium, 10);
  std::vector<wire::Opened> plays;
  for (int i = 0; i < 8; ++i) plays.push_back(cheat.open(kMedium));
  for (std::uint32_t chunk = 0; chunk < kFree; ++chunk) {
    ASSERT_EQ(cheat.ask_chunk(plays[chunk % plays.size()], chunk), wire::Status::ok);
  }
  EXPECT_EQ(must(cheat.resume(plays[7])).free_left, 0U);
  ASSERT_EQ(cheat.ask_chunk(plays[6], kFree), wire::Status::ok);  // this one is paid for
  EXPECT_FALSE(cheat.close(plays[6]).refunded);
  EXPECT_EQ(counted(world, 10), 8U);  // one used, seven reserved
}

TEST_F(FreePart, OfManyLicencesOneAfterTheOtherIsOne) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  bool paid = false;
  for (std::uint32_t i = 0; i < 7 && !paid; ++i) {
    cheat.buy(kMedium);
    const auto play = cheat.open(kMedium);
    ASSERT_EQ(cheat.ask_chunk(play, i), wire::Status::ok);
    paid = !cheat.close(play).refunded;
  }
  EXPECT_TRUE(paid);
  EXPECT_EQ(cheat.kept.size(), kFree + 1);
}

TEST_F(FreePart, OfTwoInstallationsOfOnePersonIsOne) {
  Cheat laptop(world);
  Cheat phone(world, another_installation());
  ASSERT_EQ(laptop.log_in(), wire::Status::ok);
  ASSERT_EQ(phone.log_in(), wire::Status::ok);
  laptop.buy(kMedium, 20);
  std::set<std::uint32_t> together;
  for (std::uint32_t chunk = 0; chunk < 20; ++chunk) {
    Cheat& cheat = chunk % 2 == 0 ? laptop : phone;
    const auto play = cheat.open(kMedium);
    ASSERT_EQ(cheat.ask_chunk(play, chunk), wire::Status::ok);
    together.insert(chunk);
    if (!cheat.close(play).refunded) break;
  }
  EXPECT_EQ(together.size(), kFree + 1);
}

TEST_F(FreePart, OfAlternatingPlaysIsOne) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  cheat.buy(kMedium, 5);
  const auto one = cheat.open(kMedium);
  const auto two = cheat.open(kMedium);
  for (std::uint32_t chunk = 0; chunk < 20; ++chunk) {
    ASSERT_EQ(cheat.ask_chunk(chunk % 2 == 0 ? one : two, chunk), wire::Status::ok);
  }
  // One of them was paid for with the sixth chunk. The other then received at most a free part free of charge.
  const bool first = cheat.close(one).refunded;
  const bool second = cheat.close(two).refunded;
  EXPECT_FALSE(first && second);
  EXPECT_EQ(counted(world, 5), (first ? 0U : 1U) + (second ? 0U : 1U));
}

TEST_F(FreePart, OfManyMediaIsOneForEach) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  for (std::uint8_t seed = 2; seed < 6; ++seed) {
    const Id128 medium = world.add_medium(seed);
    cheat.buy(medium);
    const auto play = cheat.open(medium);
    for (std::uint32_t chunk = 0; chunk < kFree; ++chunk) {
      ASSERT_EQ(cheat.ask_chunk(play, chunk), wire::Status::ok);
    }
    EXPECT_TRUE(cheat.close(play).refunded);
  }
}

TEST_F(FreePart, IsTheSameInWhateverOrderItIsAskedFor) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  cheat.buy(kMedium);
  const auto play = cheat.open(kMedium);
  for (const std::uint32_t chunk : {19U, 3U, 11U, 0U, 7U}) {
    ASSERT_EQ(cheat.ask_chunk(play, chunk), wire::Status::ok);
    EXPECT_FALSE(
        must(world.store->list_plays({.pseudonym = cheat.me.pseudonym, .installation = {}}, kNow))[0].committed);
  }
  ASSERT_EQ(cheat.ask_chunk(play, 5), wire::Status::ok);
  EXPECT_FALSE(cheat.close(play).refunded);
}

TEST_F(FreePart, IsNotThereForWhoNeverCloses) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  cheat.buy(kMedium, 20);
  for (int i = 0; i < 8; ++i) {
    const auto play = cheat.open(kMedium);
    for (std::uint32_t chunk = 0; chunk < kFree; ++chunk) ASSERT_EQ(cheat.ask_chunk(play, chunk), wire::Status::ok);
  }
  EXPECT_EQ(cheat.status_once("api/play/open", wire::Open{.medium = kMedium, .licence = {}}.encode()),
            wire::Status::too_many_plays);
  EXPECT_EQ(cheat.kept.size(), kFree);
  world.clock.advance(Seconds{8 * 86'400});
  EXPECT_EQ(must(world.store->expire_plays(world.clock.now())), 8U);
}

}  // namespace
}  // namespace usher::server::test
