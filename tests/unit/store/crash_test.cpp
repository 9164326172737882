// A process that dies in the middle: an answer it got stays true, an operation it began is whole or absent.  licence.md
// §8.2.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "support.h"

namespace usher::store {
namespace {

/// The child's message after an answer of the store: what a listener would know.
struct Told {
  enum class Kind : std::uint8_t { asked_for_licence, opened, heard, closed } kind = Kind::opened;
  Operation operation;
  Id128 play{};
  std::uint32_t chunk = 0;
  bool refunded = false;
};

class Crash : public StoreTest {
 protected:
  Crash() { options_.max_open_plays = 10'000; }

  [[noreturn]] void work_until_killed(int pipe) {
    const auto tell = [pipe](const Told& told) {
      if (::write(pipe, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) ::_exit(1);
    };
    const auto store = open_store(directory_.file(), options_);
    for (std::uint32_t round = 0;; ++round) {
      const Operation acquisition = new_operation();
      tell({.kind = Told::Kind::asked_for_licence, .operation = acquisition});  // before: it may or may not happen
      (void)store->issue(acquisition, document_of(terms(1)), std::nullopt, kNow);
      const auto play = store->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = {}}, kNow);
      if (!play) continue;
      tell({.kind = Told::Kind::opened, .operation = {}, .play = play->play});
      const std::uint32_t length = round % 3 == 0 ? 20 : 60;
      for (std::uint32_t chunk = 0; chunk < length; ++chunk) {
        const GrantRequest request{.play = play->play, .medium = medium_.id, .epoch = 1, .chunk = chunk};
        if (store->grant_chunk(caller_, request, kNow)) {
          tell({.kind = Told::Kind::heard, .operation = {}, .play = play->play, .chunk = chunk});
        }
      }
      const auto closed = store->close_play(caller_, new_operation(), play->play, 1, kNow);
      if (closed) tell({.kind = Told::Kind::closed, .operation = {}, .play = play->play, .refunded = closed->refunded});
    }
  }

  /// Starts the child, reads `count` messages and kills it. Returns all messages of the child.
  std::vector<Told> run_and_kill(int count) {
    int pipe[2];
    EXPECT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      work_until_killed(pipe[1]);
    }
    ::close(pipe[1]);
    std::vector<Told> told;
    Told one;
    while (::read(pipe[0], &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
      told.push_back(one);
      if (static_cast<int>(told.size()) == count) ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(pipe[0]);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return told;
  }
};

TEST_F(Crash, NeverLosesWhatWasToldNorGivesMoreThanWasCounted) {
  store_.reset();
  std::uint32_t asked = 0;
  for (int round = 0; round < 15; ++round) {
    const auto told = run_and_kill(20 + round * 13);
    store_ = open_store(directory_.file(), options_);
    ASSERT_TRUE(succeeds(store_->verify()));

    std::map<Id128, std::uint32_t> heard;
    std::map<Id128, bool> closed;
    for (const Told& one : told) {
      if (one.kind == Told::Kind::opened) heard[one.play] = 0;
      if (one.kind == Told::Kind::heard) ++heard[one.play];
      if (one.kind == Told::Kind::closed) closed[one.play] = one.refunded;
      if (one.kind != Told::Kind::asked_for_licence) continue;
      // The retry after the lost answer: one licence, whether or not the first request had got through.
      ++asked;
      ASSERT_TRUE(succeeds(store_->issue(one.operation, document_of(terms(1)), std::nullopt, kNow)));
    }
    ASSERT_EQ(store_->list_licences(caller_.pseudonym, {})->total, asked);

    for (const auto& [play, count] : heard) {
      const auto resumed = store_->resume_play(caller_, new_operation(), play, kNow);
      if (closed.contains(play)) {
        ASSERT_TRUE(fails_with(resumed, Fault::play_over));
        continue;
      }
      if (!resumed) {  // its close was stored, but the child died before its message
        ASSERT_TRUE(fails_with(resumed, Fault::play_over));
        continue;
      }
      ASSERT_TRUE(resumed->committed || count <= 38);  // every chunk that was heard had been counted
    }
    store_.reset();
  }
}

}  // namespace
}  // namespace usher::store
