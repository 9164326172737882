// Attacks on plays that count: what one play yields, which session holds it, and when it ends.  licence.md §5.4, §5.5,
// §8.3.
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "cheat.h"
#include "unit/store/support.h"

namespace usher::server::test {
namespace {

class Plays : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(world.store->verify()); }

  World world{{}, generous()};
};

TEST_F(Plays, OneYieldsTheMediumAndItsRepeatsInAnyOrder) {
  Cheat cheat(world);
  ASSERT_EQ(cheat.log_in(), wire::Status::ok);
  cheat.buy(kMedium);
  const auto play = cheat.open(kMedium);
  std::mt19937 shuffle(7);  // house-rule(rand): an order, repeatable
  std::uint32_t refused = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> order(19);  // without the first one: it has headers
    for (std::uint32_t i = 0; i < 19; ++i) order[i] = i + 1;
    std::ranges::shuffle(order, shuffle);
    for (const std::uint32_t chunk : order)
      refused += cheat.ask_chunk(play, chunk) == wire::Status::budget_spent ? 1 : 0;
  }
  EXPECT_EQ(cheat.kept.size(), 19U);
  EXPECT_EQ(cheat.sent, 19 + kRepeats);
  EXPECT_EQ(refused, 380 - 19 - kRepeats);
}

TEST_F(Plays, TwoFriendsWhoSwapOneMoveItFourTimes) {
  Cheat laptop(world);
  Cheat phone(world, another_installation());
  ASSERT_EQ(laptop.log_in(), wire::Status::ok);
  ASSERT_EQ(phone.log_in(), wire::Status::ok);
  laptop.buy(kMedium);
  wire::Opened play = laptop.open(kMedium);
  for (std::uint32_t move = 0; move < 4; ++move) {
    Cheat& now = move % 2 == 0 ? phone : laptop;
    Cheat& before = move % 2 == 0 ? laptop : phone;
    const wire::Opened old = play;
    play = must(now.resume(play));
    EXPECT_EQ(now.ask_chunk(play, move), wire::Status::ok);
    EXPECT_EQ(before.ask_chunk(old, move), wire::Status::stale_epoch);
    EXPECT_EQ(before.ask_chunk(play, move), wire::Status::wrong_installation);
  }
  EXPECT_EQ(phone.resume(play).error().fault, Fault::too_many_moves);
  play = must(laptop.resume(play));
  EXPECT_EQ(laptop.ask_chunk(play, 4), wire::Status::ok);
}

TEST_F(Plays, ClosedWhileChunksAreAskedForAreOverForAllOfThem) {
  Cheat owner(world);
  ASSERT_EQ(owner.log_in(), wire::Status::ok);
  owner.buy(kMedium, 20);
  std::vector<std::unique_ptr<Cheat>> friends;
  for (int i = 0; i < 3; ++i) {
    friends.push_back(std::make_unique<Cheat>(world));
    ASSERT_EQ(friends.back()->log_in(), wire::Status::ok);
  }
  std::uint32_t refunded = 0;
  std::uint32_t used = 0;
  for (std::uint32_t round = 0; round < 60; ++round) {
    const std::uint32_t wanted = round % 2 == 0 ? 3 : 7;  // fewer than are free, and more
    if (used == 20) {
      owner.buy(kMedium, 20);
      used = 0;
    }
    const auto play = owner.open(kMedium);
    std::array<std::set<std::uint32_t>, 3> kept;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < friends.size(); ++i) {
        threads.emplace_back([&, i] {
          friends[i]->kept.clear();
          for (std::uint32_t chunk = 0; chunk < wanted; ++chunk) friends[i]->ask_chunk(play, (chunk + round) % 20);
          kept[i] = friends[i]->kept;
        });
      }
      const bool given_back = owner.close(play).refunded;
      refunded += given_back ? 1 : 0;
      used += given_back ? 0 : 1;
      threads.clear();  // joined
      std::set<std::uint32_t> together;
      for (const auto& some : kept) together.insert(some.begin(), some.end());
      // A play that was given back gave no more than the free part, and nothing after its end.
      if (given_back) {
        EXPECT_LE(together.size(), kFree);
      }
    }
    EXPECT_EQ(owner.ask_chunk(play, 0), wire::Status::play_over);
  }
  EXPECT_TRUE(world.store->verify());
  EXPECT_GT(refunded, 0U) << "no round was closed before it counted";
}

// --- crashes that a cheat provokes: against the store, since the process is what dies

class Crashes : public store::StoreTest {};

TEST_F(Crashes, YieldAtMost31ChunksEachAndEachChunkOnceAPlay) {
  store::MediumRecord medium = store::new_medium("fine", 310);
  medium.extent.duration = Seconds{62};  // five a second: 31 are leased at once
  medium.extent.seconds = wire::even_seconds(310, medium.extent.duration);
  ASSERT_TRUE(store_->add_medium(medium, store::kNow));
  licence::LicenceTerms what = terms(1);
  what.medium = medium.id;
  what.manifest = medium.manifest;
  issue(what);
  auto play = store_->open_play(caller_, store::new_operation(), {.medium = medium.id, .licence = {}}, store::kNow);
  ASSERT_TRUE(grant(*play, chunks(0, 200)));
  ASSERT_TRUE(store_->give_back_leases());  // so that the next lease begins behind the next chunk
  std::uint32_t uncounted = 0;              // chunks in excess of the first time and the repeats
  std::uint32_t repeats = 0;
  std::set<std::uint32_t> had;
  for (std::uint32_t chunk = 0; chunk < 200; ++chunk) had.insert(chunk);
  for (int crash = 0; crash < 12; ++crash) {
    std::uint32_t of_this_crash = 0;
    // Asks for a chunk and the 31 that are leased with it, kills the server, and asks for all of it again.
    for (int part = 0; part < 2; ++part) {
      const std::uint32_t first = 200 + static_cast<std::uint32_t>(crash % 3) * 32;
      for (std::uint32_t chunk = first; chunk < std::min<std::uint32_t>(first + 32, 310); ++chunk) {
        const auto before = store_->list_plays(caller_, store::kNow)->front().repeats_left;
        const auto granted = grant(*play, {chunk});
        if (!granted) continue;
        if (granted->repeats_left < before) {
          ++repeats;
        } else if (!had.insert(chunk).second) {
          ++uncounted;
          ++of_this_crash;
        }
      }
      if (part == 0) {
        store_ = store::open_store(directory_.file(), options_);
        play = resume(*play);
      }
    }
    EXPECT_LE(of_this_crash, 31U);
    if (crash == 0) {
      EXPECT_EQ(of_this_crash, 31U);  // so the test can see it
    }
    if (crash >= 3) {
      EXPECT_EQ(of_this_crash, 0U);  // each place was forgiven before
    }
  }
  EXPECT_LE(uncounted, 3U * 31U);
  EXPECT_TRUE(store_->verify());
}

TEST_F(Crashes, CleanRestartsYieldNothing) {
  issue(1);
  auto play = open();
  ASSERT_TRUE(grant(*play, chunks(0, 50)));
  ASSERT_TRUE(grant(*play, {50}));
  for (int restart = 0; restart < 20; ++restart) {
    ASSERT_TRUE(store_->give_back_leases());
    store_ = store::open_store(directory_.file(), options_);
    play = resume(*play);
    const std::uint32_t before = play->repeats_left;
    ASSERT_EQ(grant(*play, {50})->repeats_left, before - 1);
  }
}

}  // namespace
}  // namespace usher::server::test
