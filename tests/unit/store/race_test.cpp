// Threads and processes on one store: each race has one winner, and the figures add up.  licence.md §7.5.
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <set>
#include <thread>

#include "support.h"

namespace usher::store {
namespace {

SqliteOptions many_plays() {
  SqliteOptions options;
  options.max_open_plays = 10'000;
  options.check = false;
  options.busy_timeout = Milliseconds{60'000};
  return options;
}

class Race : public StoreTest {
 protected:
  Race() { options_ = many_plays(); }
  void TearDown() override { EXPECT_TRUE(succeeds(store_->verify())); }
};

/// Runs `body(index)` in this many threads, which all begin at once.
template <class Body>
void in_threads(int count, Body body) {
  std::barrier start(count);
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
}

TEST_F(Race, ForTheLastPlayHasExactlyOneWinner) {
  for (int round = 0; round < 20; ++round) {
    const Id128 licence = issue(1);
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    in_threads(4, [&](int) {
      const auto play = open(licence);
      if (play)
        ++won;
      else if (play.error().fault == Fault::no_licence)
        ++lost;
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 3);
    EXPECT_EQ(left(licence), 0U);
  }
}

TEST_F(Race, BetweenStoresOnOneFileHasExactlyOneWinner) {
  const auto other = open_store(directory_.file(), options_);
  Store* stores[] = {store_.get(), other.get()};
  for (int round = 0; round < 20; ++round) {
    const Id128 licence = issue(1);
    std::atomic<int> won{0};
    in_threads(4, [&](int i) {
      const auto play =
          stores[i % 2]->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = licence}, kNow);
      if (play) ++won;
    });
    EXPECT_EQ(won, 1);
  }
}

TEST_F(Race, OfOneRetriedOperationMakesOnePlay) {
  for (int round = 0; round < 10; ++round) {
    const Id128 licence = issue(4);
    const Operation operation = new_operation();
    std::mutex mutex;
    std::vector<Id128> plays;
    in_threads(4, [&](int) {
      const auto play = store_->open_play(caller_, operation, {.medium = medium_.id, .licence = licence}, kNow);
      ASSERT_TRUE(succeeds(play));
      const std::lock_guard lock(mutex);
      plays.push_back(play->play);
    });
    ASSERT_EQ(plays.size(), 4U);
    for (const Id128& play : plays) EXPECT_EQ(play, plays.front());
    EXPECT_EQ(left(licence), 3U);
  }
}

TEST_F(Race, OfRetriedAcquisitionsMakesOneLicence) {
  const Operation operation = new_operation();
  in_threads(4,
             [&](int) { EXPECT_TRUE(succeeds(store_->issue(operation, document_of(terms(1)), std::nullopt, kNow))); });
  EXPECT_EQ(store_->list_licences(caller_.pseudonym, {})->total, 1U);
}

TEST_F(Race, OfParallelRequestsCommitsOnceAndKeepsTheBudget) {
  for (int round = 0; round < 5; ++round) {
    const Id128 licence = issue(1);
    const auto play = open(licence);
    std::atomic<std::uint32_t> granted{0};
    in_threads(4, [&](int i) {
      for (std::uint32_t chunk = 0; chunk < 100; ++chunk) {
        if (grant(*play, {(chunk + static_cast<std::uint32_t>(i) * 25) % 100})) ++granted;
      }
    });
    EXPECT_LE(granted, 300U);  // each once, and two hundred repeats
    EXPECT_GE(granted, 100U);
    EXPECT_FALSE(close(*play)->refunded);
  }
}

TEST_F(Race, OfResumesLeavesOneEpochThatCounts) {
  issue(1);
  const auto play = open();
  std::mutex mutex;
  std::vector<OpenPlay> resumed;
  in_threads(4, [&](int) {
    const auto mine = resume(*play);
    ASSERT_TRUE(succeeds(mine));
    const std::lock_guard lock(mutex);
    resumed.push_back(*mine);
  });
  int valid = 0;
  std::set<std::uint64_t> epochs;
  for (const OpenPlay& one : resumed) {
    epochs.insert(one.epoch);
    if (grant(one, {0})) ++valid;
  }
  EXPECT_EQ(valid, 1);
  EXPECT_EQ(epochs.size(), 4U);
}

TEST_F(Race, OfEverythingAtOnceKeepsTheFigures) {
  const Id128 licence = issue(10);
  std::atomic<std::uint32_t> used{0};
  in_threads(4, [&](int i) {
    for (std::uint32_t round = 0; round < 25; ++round) {
      const auto play = open(licence);
      if (!play) continue;
      const std::uint32_t chunk = (static_cast<std::uint32_t>(i) * 25 + round) % 100;
      (void)grant(*play, {chunk, (chunk + 1) % 100});
      const auto again = resume(*play);
      if (round % 5 == 0) (void)grant(*again, chunks(40, 90));
      const auto closed = close(*again);
      ASSERT_TRUE(succeeds(closed));
      if (!closed->refunded) ++used;
    }
  });
  EXPECT_GT(used, 0U);
  EXPECT_EQ(left(licence), 10U - used);
}

// --- processes

/// Runs `body()` in a process of its own, which writes the number that it returns to a pipe. `go` releases it.
class Process {
 public:
  template <class Body>
  explicit Process(Body body) {
    EXPECT_EQ(::pipe(go_), 0);
    EXPECT_EQ(::pipe(result_), 0);
    child_ = ::fork();
    if (child_ != 0) return;
    char byte = 0;
    (void)!::read(go_[0], &byte, 1);
    const std::uint32_t number = body();
    (void)!::write(result_[1], &number, sizeof number);
    ::_exit(0);
  }
  void go() const { (void)!::write(go_[1], "", 1); }
  std::uint32_t result() {
    std::uint32_t number = 0;
    EXPECT_EQ(::read(result_[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
    ::waitpid(child_, nullptr, 0);
    for (const int descriptor : {go_[0], go_[1], result_[0], result_[1]}) ::close(descriptor);
    return number;
  }

 private:
  int go_[2] = {-1, -1};
  int result_[2] = {-1, -1};
  pid_t child_ = -1;
};

TEST_F(Race, BetweenTwoProcessesNeverGivesOutMoreThanThereIs) {
  const Id128 licence = issue(50);
  store_.reset();  // no connection may cross a fork
  const auto take_all = [&]() -> std::uint32_t {
    const auto store = open_store(directory_.file(), options_);
    std::uint32_t taken = 0;
    for (;;) {
      const auto play = store->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = licence}, kNow);
      if (!play) return play.error().fault == Fault::no_licence ? taken : 1'000;
      ++taken;
    }
  };
  Process first(take_all);
  Process second(take_all);
  first.go();
  second.go();
  EXPECT_EQ(first.result() + second.result(), 50U);
  store_ = open_store(directory_.file(), options_);
  EXPECT_EQ(left(licence), 0U);
}

TEST_F(Race, OfTwoProcessesThatCreateTheStoreIsWonByBoth) {
  const auto file = directory_.path() / "new.db";
  const auto create = [&]() -> std::uint32_t {
    const auto store = open_sqlite(file, random(), options_);
    return store && (*store)->add_medium(new_medium(std::to_string(::getpid())), kNow) ? 1 : 0;
  };
  store_.reset();
  Process first(create);
  Process second(create);
  first.go();
  second.go();
  EXPECT_EQ(first.result() + second.result(), 2U);
  EXPECT_EQ(open_store(file, options_)->list_media({})->total, 2U);
  store_ = open_store(directory_.file(), options_);
}

}  // namespace
}  // namespace usher::store
