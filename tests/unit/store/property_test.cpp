// Whatever a listener does, in whatever order: nobody hears more than the licence gives.  licence.md §5, §7.6.
#include <rapidcheck.h>

#include <map>
#include <set>

#include "support.h"

namespace usher::store {
namespace {

constexpr std::uint32_t kChunks = 20;  // of a second: 10 are free (half the medium)
constexpr std::uint32_t kPlays = 3;

struct Move {
  enum class Kind : std::uint8_t { open, grant, close, resume, stale, wait, restart } kind;
  std::uint32_t play;  // which of those opened so far
  std::vector<std::uint32_t> chunks;
};
void showValue(const Move& move, std::ostream& out) {
  out << static_cast<int>(move.kind) << "/" << move.play << "/" << move.chunks.size();
}
rc::Gen<Move> moves() {
  using Kind = Move::Kind;
  return rc::gen::construct<Move>(rc::gen::weightedElement<Kind>({{4, Kind::open},
                                                                  {20, Kind::grant},
                                                                  {4, Kind::close},
                                                                  {2, Kind::resume},
                                                                  {2, Kind::stale},
                                                                  {1, Kind::wait},
                                                                  {1, Kind::restart}}),
                                  rc::gen::inRange<std::uint32_t>(0, 4),
                                  rc::gen::resize(6, rc::gen::nonEmpty(rc::gen::unique<std::vector<std::uint32_t>>(
                                                         rc::gen::inRange<std::uint32_t>(0, kChunks + 1)))));
}

/// Plays the moves against a store and keeps its own account of what was heard.
class Listener {
 public:
  explicit Listener(SqliteOptions options) : options_(options), store_(open_store(directory_.file(), options)) {
    RC_ASSERT(store_->add_medium(medium_, now_).has_value());
    licence::LicenceTerms terms;
    terms.id = licence_;
    terms.server = "test.example";
    terms.pseudonym = caller_.pseudonym;
    terms.manifest = medium_.manifest;
    terms.medium = medium_.id;
    terms.plays = kPlays;
    RC_ASSERT(store_->issue(new_operation(), document_of(terms), now_).has_value());
  }

  void make(const Move& move) {
    switch (move.kind) {
      case Move::Kind::open:
        return open();
      case Move::Kind::grant:
        return grant(move, false);
      case Move::Kind::stale:
        return grant(move, true);
      case Move::Kind::close:
        return close(move);
      case Move::Kind::resume:
        return resume(move);
      case Move::Kind::wait:
        return wait();
      case Move::Kind::restart:
        store_.reset();
        store_ = open_store(directory_.file(), options_);
        return;
    }
  }

  void check() {
    RC_ASSERT(store_->verify().has_value());
    const auto left = store_->find_licence(licence_)->standing.plays_left;
    std::uint32_t counted = 0;
    for (const Session& session : sessions_) counted += session.refunded ? 0 : 1;
    RC_ASSERT(*left + counted == kPlays);
    for (const Session& session : sessions_) {
      std::uint32_t total = 0;
      for (const auto& [chunk, times] : session.heard) {
        RC_ASSERT(chunk < kChunks);
        RC_ASSERT(times <= 3U);
        total += times;
      }
      RC_ASSERT(total <= kChunks * 3 / 2);
      // A play that was given back never had more than the free chunks.
      if (session.refunded) RC_ASSERT(session.heard.size() <= kChunks / 2);
    }
    RC_ASSERT(free_.size() <= kChunks / 2);
  }

 private:
  struct Session {
    OpenPlay play;
    bool committed = false;
    bool over = false;
    bool refunded = false;
    std::map<std::uint32_t, std::uint32_t> heard;
  };

  Session* chosen(const Move& move) {
    return sessions_.empty() ? nullptr : &sessions_[sessions_.size() - 1 - move.play % sessions_.size()];
  }
  void open() {
    const auto play = store_->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = {}}, now_);
    if (play) sessions_.push_back({.play = *play, .heard = {}});
  }
  void grant(const Move& move, bool stale) {
    Session* session = chosen(move);
    if (session == nullptr) return;
    const auto granted = store_->grant_chunks(caller_,
                                              {.play = session->play.play,
                                               .medium = medium_.id,
                                               .epoch = session->play.epoch - (stale ? 1 : 0),
                                               .chunks = move.chunks},
                                              now_);
    if (!granted) return;
    RC_ASSERT(!stale && !session->over);
    for (const std::uint32_t chunk : move.chunks) ++session->heard[chunk];
    if (granted->committed && !session->committed) commit(*session);
    if (!session->committed) free_.insert(move.chunks.begin(), move.chunks.end());
  }
  /// What had been heard for nothing is paid for, but for what the other open plays hold.
  void commit(Session& session) {
    session.committed = true;
    free_.clear();
    for (const Session& other : sessions_) {
      if (other.committed || other.over) continue;
      for (const auto& [chunk, times] : other.heard) free_.insert(chunk);
    }
  }
  void close(const Move& move) {
    Session* session = chosen(move);
    if (session == nullptr) return;
    const auto closed = store_->close_play(caller_, new_operation(), session->play.play, session->play.epoch, now_);
    if (!closed) return;
    RC_ASSERT(closed->refunded == !session->committed);
    session->over = true;
    session->refunded = closed->refunded;
  }
  void resume(const Move& move) {
    Session* session = chosen(move);
    if (session == nullptr) return;
    const auto resumed = store_->resume_play(caller_, new_operation(), session->play.play, now_);
    if (!resumed) return;
    RC_ASSERT(!session->over && resumed->epoch == session->play.epoch + 1);
    session->play = *resumed;
  }
  void wait() {  // until everything that is open has passed its deadline
    now_ += Seconds{100'000};
    RC_ASSERT(store_->expire_plays(now_).has_value());
    for (Session& session : sessions_) {
      if (!session.over && !session.committed) session.refunded = true;
      session.over = true;
    }
  }

  TemporaryDirectory directory_;
  SqliteOptions options_;
  std::unique_ptr<Store> store_;
  Time now_ = kNow;
  Medium medium_ = new_medium("short", kChunks);
  Caller caller_{.pseudonym = hash_of("anna"), .installation = hash_of("laptop")};
  Id128 licence_ = random().id();
  std::vector<Session> sessions_;
  std::set<std::uint32_t> free_;  // heard for nothing since the last commit
};

TEST(PlayProperties, NobodyHearsMoreThanTheLicenceGives) {
  SqliteOptions options;
  options.check = false;
  EXPECT_TRUE(rc::check("any sequence of moves", [&] {
    const auto sequence = *rc::gen::container<std::vector<Move>>(moves());
    Listener listener(options);
    for (const Move& move : sequence) listener.make(move);
    listener.check();
  }));
}

TEST(PlayProperties, FreeChunksAreNeverMoreThanHalfNorMoreThanTheirSeconds) {
  EXPECT_TRUE(rc::check("any medium", [] {
    const licence::PlayPolicy policy;
    const licence::Extent medium{.chunks = *rc::gen::positive<std::uint32_t>(),
                                 .duration = Milliseconds{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000)}};
    const std::uint64_t free = licence::free_chunks(policy, medium);
    RC_ASSERT(free * 2 <= medium.chunks);
    const auto ms = static_cast<std::uint64_t>(medium.duration.count());
    RC_ASSERT(free * ms <= std::uint64_t{30'000} * medium.chunks);
    RC_ASSERT(licence::budget_of(policy, medium) >= medium.chunks);
  }));
}

}  // namespace
}  // namespace usher::store
