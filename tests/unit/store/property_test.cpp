// Whatever a listener does, in whatever order: a listener never hears more than the licence gives.  licence.md §5,
// §7.6.
#include <rapidcheck.h>

#include <cmath>
#include <map>
#include <set>

#include "support.h"

namespace usher::store {
namespace {

constexpr std::uint32_t kChunks = 20;  // of a second: 10 are free (half the medium), 200 can be repeated
constexpr std::uint32_t kRepeats = 200;
constexpr std::uint32_t kPlays = 3;  // of each of two licences

struct Move {
  enum class Kind : std::uint8_t { open, grant, close, resume, stale, wait, crash, stop } kind;
  std::uint32_t play;  // which of those opened so far
  std::vector<std::uint32_t> chunks;
  bool elsewhere;  // on the person's other installation
};
void showValue(const Move& move, std::ostream& out) {
  out << static_cast<int>(move.kind) << "/" << move.play << "/" << move.chunks.size() << (move.elsewhere ? "e" : "");
}
rc::Gen<Move> moves() {
  using Kind = Move::Kind;
  return rc::gen::construct<Move>(rc::gen::weightedElement<Kind>({{4, Kind::open},
                                                                  {24, Kind::grant},
                                                                  {4, Kind::close},
                                                                  {3, Kind::resume},
                                                                  {2, Kind::stale},
                                                                  {1, Kind::wait},
                                                                  {2, Kind::crash},
                                                                  {1, Kind::stop}}),
                                  rc::gen::inRange<std::uint32_t>(0, 4),
                                  rc::gen::resize(6, rc::gen::nonEmpty(rc::gen::unique<std::vector<std::uint32_t>>(
                                                         rc::gen::inRange<std::uint32_t>(0, kChunks + 1)))),
                                  rc::gen::weightedElement<bool>({{5, false}, {1, true}}));
}

/// Plays the moves against a store and keeps its own account of what was heard.
class Listener {
 public:
  explicit Listener(SqliteOptions options) : options_(options), store_(open_store(directory_.file(), options)) {
    RC_ASSERT(store_->add_medium(medium_, now_).has_value());
    for (const Id128& id : licences_) {
      licence::LicenceTerms terms;
      terms.id = id;
      terms.server = "test.example";
      terms.pseudonym = caller_.pseudonym;
      terms.manifest = medium_.manifest;
      terms.medium = medium_.id;
      terms.plays = kPlays;
      RC_ASSERT(store_->issue(new_operation(), document_of(terms), std::nullopt, now_).has_value());
    }
  }

  void make(const Move& move) {
    caller_.installation = hash_of(move.elsewhere ? "phone" : "laptop");
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
      case Move::Kind::stop:
        RC_ASSERT(store_->give_back_leases().has_value());
        [[fallthrough]];
      case Move::Kind::crash:
        store_.reset();
        store_ = open_store(directory_.file(), options_);
        return;
    }
  }

  void check() {
    RC_ASSERT(store_->verify().has_value());
    std::uint32_t left = 0;
    for (const Id128& id : licences_) left += *store_->find_licence(id)->standing.plays_left;
    std::uint32_t counted = 0;
    for (const Session& session : sessions_) counted += session.refunded ? 0 : 1;
    RC_ASSERT(left + counted == kPlays * licences_.size());
    for (const Session& session : sessions_) {
      std::uint32_t repeats = 0;
      for (const auto& [chunk, times] : session.heard) {
        RC_ASSERT(chunk < kChunks);
        repeats += times - 1;
      }
      RC_ASSERT(repeats <= kRepeats + kChunks);  // each chunk is forgiven once at most
      // A play that was given back never had more than the free part.
      if (session.refunded) RC_ASSERT(session.heard.size() <= kChunks / 2);
    }
    RC_ASSERT(free_.size() <= kChunks / 2);
  }

 private:
  struct Session {
    OpenPlay play;
    Hash256 installation{};
    std::uint32_t moves = 0;
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
    if (!play) return;
    RC_ASSERT(wire::count_of(play->heard) == free_.size());
    RC_ASSERT(play->free_left == kChunks / 2 - free_.size());
    sessions_.push_back({.play = *play, .installation = caller_.installation, .heard = {}});
  }
  void grant(const Move& move, bool stale) {
    Session* session = chosen(move);
    if (session == nullptr) return;
    for (const std::uint32_t chunk : move.chunks) grant(*session, chunk, stale);
  }
  void grant(Session& session, std::uint32_t chunk, bool stale) {
    const auto granted = store_->grant_chunk(caller_,
                                             {.play = session.play.play,
                                              .medium = medium_.id,
                                              .epoch = session.play.epoch - (stale ? 1 : 0),
                                              .chunk = chunk},
                                             now_);
    const bool here = session.installation == caller_.installation;
    const bool is_new = chunk < kChunks && !session.heard.contains(chunk);
    // A listener who may hear a chunk for the first time is never refused it.
    if (here && is_new && !stale && !session.over) RC_ASSERT(granted.has_value());
    if (!granted) return;
    RC_ASSERT(here && !stale && !session.over);
    ++session.heard[chunk];
    if (granted->committed && !session.committed) commit(session, chunk);
    if (!session.committed) free_.insert(chunk);
  }
  /// The chunks that were heard free of charge are now paid for, except those that other open plays hold.
  void commit(Session& session, std::uint32_t chunk) {
    auto heard = free_;
    heard.insert(chunk);
    RC_ASSERT(heard.size() > kChunks / 2);  // not one chunk too early
    session.committed = true;
    free_.clear();
    for (const Session& other : sessions_) {
      if (other.committed || other.over) continue;
      for (const auto& [number, times] : other.heard) free_.insert(number);
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
    const bool moves = session->installation != caller_.installation;
    const auto resumed = store_->resume_play(caller_, new_operation(), session->play.play, now_);
    if (!session->over) RC_ASSERT(resumed.has_value() == (!moves || session->moves < 4));
    if (!resumed) return;
    RC_ASSERT(!session->over && resumed->epoch == session->play.epoch + 1);
    session->play = *resumed;
    session->installation = caller_.installation;
    session->moves += moves ? 1 : 0;
  }
  void wait() {  // until everything that is open has passed its deadline
    now_ += Seconds{700'000};
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
  MediumRecord medium_ = new_medium("short", kChunks);
  Caller caller_{.pseudonym = hash_of("anna"), .installation = hash_of("laptop")};
  std::array<Id128, 2> licences_{random().id(), random().id()};
  std::vector<Session> sessions_;
  std::set<std::uint32_t> free_;  // heard free of charge since the last commit
};

TEST(PlayProperties, NobodyHearsMoreThanTheLicencesGiveAndNobodyIsRefusedWhatIsNew) {
  SqliteOptions options;
  options.check = false;
  EXPECT_TRUE(rc::check("any sequence of moves", [&] {
    const auto sequence = *rc::gen::container<std::vector<Move>>(moves());
    Listener listener(options);
    for (const Move& move : sequence) listener.make(move);
    listener.check();
  }));
}

// --- the two promises to an honest listener (licence.md §5)

struct Shape {
  std::uint32_t chunks;
  std::int64_t seconds;
};
void showValue(const Shape& shape, std::ostream& out) { out << shape.chunks << " chunks, " << shape.seconds << " s"; }
// From 8 kbit/s in chunks of 8 KiB to 1.4 Mbit/s in chunks of 256 KiB, a jingle, an hour, a constant rate and a slow
// start.
constexpr Shape kShapes[] = {{2, 4},    {3, 6},     {8, 16},    {30, 60},       {60, 110},  {110, 228},
                             {42, 228}, {228, 180}, {500, 300}, {1'800, 3'600}, {160, 240}, {20, 164}};

/// An honest client: listens from the beginning and fetches as in §5.7. Client and server die from time to time.
class HonestListener {
 public:
  HonestListener(Shape shape, bool late) : directory_(), store_(open_store(directory_.file(), options())) {
    medium_ = new_medium("shape", shape.chunks);
    medium_.extent.duration = Seconds{shape.seconds};
    medium_.extent.seconds = wire::even_seconds(shape.chunks, medium_.extent.duration);
    if (late) {  // quiet at first: the rate rises to one and a half times the mean
      for (std::size_t s = 1; s <= wire::kTableSeconds && static_cast<std::int64_t>(s) < shape.seconds; ++s) {
        const double share = std::pow(static_cast<double>(s) / static_cast<double>(shape.seconds), 1.5);
        medium_.extent.seconds[s - 1] = static_cast<std::uint32_t>(std::ceil(share * shape.chunks));
      }
    }
    RC_ASSERT(store_->add_medium(medium_, kNow).has_value());
    licence::LicenceTerms terms;
    terms.id = random().id();
    terms.server = "test.example";
    terms.pseudonym = caller_.pseudonym;
    terms.manifest = medium_.manifest;
    terms.medium = medium_.id;
    terms.plays = 1;
    RC_ASSERT(store_->issue(new_operation(), document_of(terms), std::nullopt, kNow).has_value());
    play_ = *store_->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = {}}, kNow);
    free_ = licence::free_part(medium_.extent, Seconds{30});
  }

  /// Hears one second more; false at the end.
  bool listen() {
    const std::uint32_t all = medium_.extent.media_chunks();
    const bool promised = Milliseconds{Seconds{heard_}} < free_.promise;
    const std::uint32_t needed = medium_.extent.chunks_for(heard_ + 1);
    std::uint32_t wanted = medium_.extent.chunks_for(heard_ + (troubled_ ? 4 : 10));
    wanted = std::max(wanted, std::min(all, needed + 2));
    if (promised) wanted = std::max(std::min(wanted, free_.chunks), needed);
    for (; have_ < wanted; ++have_) ask(have_);
    ++heard_;
    return static_cast<std::int64_t>(heard_) * 1000 < medium_.extent.duration.count();
  }
  /// kill -9: what was in hand is gone; up to two seconds of the position are, and it begins two seconds earlier.
  void die() {
    troubled_ = true;
    const std::uint64_t back = std::min<std::uint64_t>(heard_, 4);
    have_ = medium_.extent.chunks_for(heard_ - back);
    if (have_ > 0) --have_;
    resume();
  }
  void crash_server(bool clean) {
    troubled_ = true;
    if (clean) RC_ASSERT(store_->give_back_leases().has_value());
    store_ = open_store(directory_.file(), options());
    resume();
  }
  [[nodiscard]] Closed stop() { return *store_->close_play(caller_, new_operation(), play_.play, play_.epoch, kNow); }
  [[nodiscard]] Milliseconds promise() const { return free_.promise; }
  [[nodiscard]] std::size_t heard_chunks() const { return asked_.size(); }
  [[nodiscard]] const MediumRecord& medium() const { return medium_; }

 private:
  static SqliteOptions options() {
    SqliteOptions options;
    options.check = false;
    return options;
  }
  void ask(std::uint32_t chunk) {
    const GrantRequest request{.play = play_.play, .medium = medium_.id, .epoch = play_.epoch, .chunk = chunk};
    const auto granted = store_->grant_chunk(caller_, request, kNow);
    RC_ASSERT(granted.has_value());
    asked_.insert(chunk);
  }
  void resume() {
    const auto resumed = store_->resume_play(caller_, new_operation(), play_.play, kNow);
    RC_ASSERT(resumed.has_value());
    play_ = *resumed;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  MediumRecord medium_;
  Caller caller_{.pseudonym = hash_of("anna"), .installation = hash_of("laptop")};
  OpenPlay play_;
  licence::FreePart free_;
  bool troubled_ = false;
  std::uint64_t heard_ = 0;  // seconds
  std::uint32_t have_ = 0;   // chunks, from the beginning
  std::set<std::uint32_t> asked_;
};

TEST(HonestListener, WhoStopsBeforeThePromiseKeepsHisPlay) {
  for (const Shape& shape : kShapes) {
    for (const bool late : {false, true}) {
      const std::int64_t promise = HonestListener(shape, late).promise().count();
      for (const std::int64_t stop_at : {std::int64_t{1'000}, promise / 2, promise - 1'000, promise - 1}) {
        HonestListener listener(shape, late);
        std::int64_t heard = 0;
        while (heard + 1'000 <= stop_at && listener.listen()) heard += 1'000;
        if (stop_at >= promise) continue;
        EXPECT_TRUE(listener.stop().refunded) << shape.chunks << " chunks, " << shape.seconds << " s, " << stop_at;
      }
    }
  }
}

TEST(HonestListener, AlwaysReachesTheEndThroughTwentyDeathsAndTwentyCrashes) {
  EXPECT_TRUE(rc::check("any medium, any times of death", [&] {
    const Shape shape = *rc::gen::elementOf(std::vector<Shape>(std::begin(kShapes), std::end(kShapes)));
    HonestListener listener(shape, *rc::gen::arbitrary<bool>());
    const auto times =
        *rc::gen::container<std::vector<std::int64_t>>(40, rc::gen::inRange<std::int64_t>(0, shape.seconds));
    std::multimap<std::int64_t, std::size_t> troubles;
    for (std::size_t i = 0; i < times.size(); ++i) troubles.emplace(times[i], i);
    std::int64_t second = 0;
    do {
      const auto [from, to] = troubles.equal_range(second++);
      for (auto at = from; at != to; ++at) {
        if (at->second < 20) listener.die();
        if (at->second >= 20) listener.crash_server(at->second % 3 == 0);
      }
    } while (listener.listen());
    RC_ASSERT(listener.heard_chunks() == listener.medium().extent.chunks);
  }));
}

}  // namespace
}  // namespace usher::store
