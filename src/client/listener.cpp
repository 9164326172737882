#include "client/listener.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "client/wallet/medium_numbers.h"

namespace usher::client {
namespace {

constexpr std::uint64_t kKeepPosition = 2'000;  // milliseconds between two saves of the position
constexpr std::uint64_t kStepBack = 1'000;      // milliseconds that are heard again when a play is resumed

bool is_over(Fault fault) {
  return fault == Fault::play_over || fault == Fault::play_expired || fault == Fault::unknown_play;
}

/// Whether a play that ended with an error stays open. It does if the error may pass, so that it can be resumed. After
/// other errors a play that does not count yet is closed, which costs nothing. A play that counts always stays open, so
/// that the listener can hear its end.
bool stays_open(Fault fault, bool committed) {
  const bool passes = exit_class_of(fault) == ExitClass::network || fault == Fault::bad_statement ||
                      fault == Fault::budget_spent || fault == Fault::stale_epoch || fault == Fault::wrong_installation;
  return passes || committed;
}

/// Saves the position in the play's mark, and forwards each call to the inner view.
class MarkingView final : public PlaybackView {
 public:
  MarkingView(PlaybackView& inner, PlayMark& mark, const Fetcher& fetcher, const HeardClock& own,
              std::uint64_t start_ms)
      : inner_(inner), mark_(mark), fetcher_(fetcher), own_(own), last_(start_ms), kept_(start_ms) {}
  void position(const PlayPosition& now) override {
    last_ = now.elapsed_ms;
    const std::uint64_t moved = last_ > kept_ ? last_ - kept_ : kept_ - last_;
    // Save at the first call too, so that a later process knows which chunks were requested already. Another request
    // for them is a repeat.
    if (moved >= kKeepPosition || !std::exchange(begun_, true)) keep();
    inner_.position(now);
  }
  [[nodiscard]] std::vector<Key> keys() override { return inner_.keys(); }
  void note(std::string_view sentence) override { inner_.note(sentence); }
  void keep() {
    mark_.keep(last_, own_, fetcher_.plan().asked());
    kept_ = last_;
  }
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

 private:
  PlaybackView& inner_;
  PlayMark& mark_;
  const Fetcher& fetcher_;
  const HeardClock& own_;
  std::uint64_t last_;
  std::uint64_t kept_;
  bool begun_ = false;
};

/// Checks a start position from the command line. Errors: bad_usage, would_count.
Result<> check_from(const PlayRequest& request, const media::Manifest& manifest, const PlayPlan& plan,
                    const StartPoint& from) {
  if (!request.from_ms) return {};
  if (*request.from_ms >= manifest.duration_ms) {
    return fail(Fault::bad_usage, "listener: from", "it ends at " + clock_text(manifest.duration_ms),
                "Give --from an earlier time.");
  }
  const StartCost cost = plan.cost_of(from, [](std::uint32_t) { return false; });
  if (cost.counts && !request.may_count_at_once)
    return fail(Fault::would_count, "listener: from", clock_text(from.time_ms));
  return {};
}

void say_kept(PlayView& view, const OpenPlay& play, bool committed, std::uint64_t position_ms) {
  const bool counts_later = play.plays_left() != wire::kNoLimit && !committed;
  view.note("The play is kept" + (counts_later ? std::string(", and does not count yet") : std::string{}) +
            ": play it again to go on from " + clock_text(position_ms) + ", without charge.");
}

}  // namespace

PersonInfo LiveListener::who() const {
  const wire::Authenticated person = engine_.person();
  return {.server = server_,
          .server_id = person.server_id,
          .name = person.name,
          .pseudonym = to_hex(person.pseudonym),
          .suite = engine_.suite()};
}

Result<Overview> LiveListener::overview() {
  Overview overview;
  USHER_TRY(overview.catalogue, engine_.catalogue());
  number_catalogue(overview.catalogue, wallet_.folder());
  USHER_TRY(const std::vector<wire::LicenceEntry> listed, engine_.licences());
  USHER_TRY(Reconciled reconciled, wallet_.reconcile(listed));
  overview.differences = wallet_.take_findings();
  overview.news = std::move(reconciled.news);
  overview.licences = std::move(reconciled.licences);
  std::ranges::move(reconciled.differences, std::back_inserter(overview.differences));
  return overview;
}

Result<HeldLicence> LiveListener::acquire(const wire::Acquire& wanted) {
  USHER_CHECK(wallet_.check_writable());  // before the server counts it
  USHER_TRY(const wire::LicenceEntry entry, engine_.acquire(wanted));
  return wallet_.add(entry);
}

Result<std::optional<LiveListener::Started>> LiveListener::carry_on(const Id128& medium, const PlayRequest& request,
                                                                    PlayView& view) {
  if (request.resume == Resume::never) return std::nullopt;
  std::vector<UnfinishedPlay> open = wallet_.unfinished(medium, clock_.now());
  if (request.resume == Resume::always) {
    USHER_TRY(const wire::Plays listed, engine_.plays());
    for (const wire::PlayEntry& entry : listed.entries) {
      const bool known = std::ranges::any_of(open, [&](const auto& play) { return play.play == entry.play; });
      if (entry.medium != medium || known) continue;
      open.push_back({.play = entry.play, .medium = medium, .licence = entry.licence, .deadline = entry.deadline});
    }
  }
  for (UnfinishedPlay& old : open) {
    if (request.licence && *request.licence != old.licence) continue;
    auto play = engine_.resume(old.play);
    if (play && (*play)->medium().id() == medium) {
      old.deadline = (*play)->deadline();
      return Started{.play = *std::move(play), .mark = std::move(old), .resumed = true};
    }
    if (play)
      return fail(Fault::release_mismatch, "listener: resumed", "the server resumed another medium",
                  "It was not played; tell the server's operator.");
    if (!is_over(play.error().fault)) {
      view.note("A play of it that was interrupted at " + clock_text(old.position_ms) +
                " is kept; --fresh opens another.");
      return std::unexpected(std::move(play).error());
    }
    if (const auto mark = wallet_.begin(old)) (*mark)->done();
  }
  return std::nullopt;
}

/// Notes plays that are open at the server but have no mark here: plays of another installation, or of a process that
/// died before it could write the mark.
void LiveListener::say_what_is_open(const Id128& medium, PlayView& view) {
  const auto listed = engine_.plays();
  if (!listed) return;
  const auto open = std::ranges::count(listed->entries, medium, &wire::PlayEntry::medium);
  if (open == 0) return;
  view.note((open == 1 ? std::string("A play of it is") : std::to_string(open) + " plays of it are") +
            " open already; --resume goes on with the newest.");
}

Result<LiveListener::Started> LiveListener::start(const Id128& medium, const PlayRequest& request, PlayView& view) {
  USHER_TRY(std::optional<Started> old, carry_on(medium, request, view));
  if (old) return *std::move(old);
  if (request.resume == Resume::always) {
    return fail(Fault::unknown_play, "listener: resume", "no play of it is open",
                "Leave out --resume, and a new one begins.");
  }
  auto opened = engine_.open({.medium = medium, .licence = request.licence});
  if (!opened) {
    const Fault why = opened.error().fault;
    if (why == Fault::no_licence || why == Fault::too_many_plays) say_what_is_open(medium, view);
    return std::unexpected(std::move(opened).error());
  }
  auto play = *std::move(opened);
  UnfinishedPlay mark{.play = play->id(), .medium = medium, .licence = play->licence(), .deadline = play->deadline()};
  return Started{.play = std::move(play), .mark = std::move(mark)};
}

/// Deliberate and final. The mark is removed only if the server has confirmed that the play is over.
Result<PlayReport> LiveListener::close(OpenPlay& play, PlayMark& mark) {
  PlayReport report{.plays_left = play.plays_left(), .licence = play.licence()};
  const auto closed = engine_.close(play);
  if (closed) {
    wallet_.closed(mark, closed->plays_left);
    report.refunded = closed->refunded;
    report.plays_left = closed->plays_left;
    return report;
  }
  if (!is_over(closed.error().fault)) return std::unexpected(closed.error());
  mark.done();
  return report;
}

Result<PlayReport> LiveListener::listen(const Started& started, const PlayRequest& request, PlayView& view,
                                        PlayMark& mark) {
  OpenPlay& play = *started.play;
  const media::Manifest& manifest = play.medium().manifest();
  PlayerSpec player = request.player;
  // A caller that had the catalogue has checked this before the play was opened.
  if (const auto shown = check_screen(player, manifest.kind, request.screen); !shown) {
    if (!started.resumed) {
      [[maybe_unused]] const auto ignored = close(play, mark);
    }
    return std::unexpected(shown.error());
  }
  HeardClock own = started.mark.own;
  PlayPlan plan(manifest, play.opened(), started.mark.asked);
  const std::uint64_t left_at = started.mark.position_ms;
  StartPoint from = plan.timeline().start_at(request.from_ms.value_or(left_at > kStepBack ? left_at - kStepBack : 0));
  if (started.resumed && !request.from_ms) from = plan.within_repeats(from);
  const auto refused = check_from(request, manifest, plan, from);
  if (!refused) {
    if (!started.resumed) {
      [[maybe_unused]] const auto ignored = close(play, mark);
    }
    return std::unexpected(refused.error());
  }
  plan.at({.clock_ms = from.time_ms, .own_ms = own.heard_ms(), .troubled = started.resumed});
  Fetcher fetcher(
      manifest, [&](std::uint32_t chunk, const std::atomic<bool>& stop) { return engine_.chunk(play, chunk, stop); },
      {.window = request.window, .plan = plan, .first = static_cast<std::uint32_t>(from.offset / manifest.chunk_size)});
  play.on_resumed([&fetcher](const wire::Opened& now) { fetcher.standing(now); });
  MarkingView marking(view, mark, fetcher, own, from.time_ms);
  view.opened(play.medium(), play.plays_left(), started.resumed, fetcher.counts_from());
  PlaybackSetup setup{.player = player,
                      .start_ms = from.time_ms,
                      .interrupted = request.interrupted,
                      .output = request.output,
                      .own = &own};
  // A resumed play had trouble before. Chunks that are fetched ahead would be lost again by another failure.
  setup.troubled = [this, before = engine_.troubles(), resumed = started.resumed] {
    return resumed || engine_.troubles() != before;
  };
  auto end = play_back(fetcher, setup, marking);
  marking.keep();
  view.ended();
  const bool committed = fetcher.plan().committed();
  if (!end && is_over(end.error().fault)) {
    mark.done();
    return std::unexpected(std::move(end).error());
  }
  if (!end && stays_open(end.error().fault, committed)) {
    say_kept(view, play, committed, marking.last());
    return std::unexpected(std::move(end).error());
  }
  auto report = close(play, mark);
  if (!report) say_kept(view, play, committed, marking.last());
  if (!end) {
    if (report && report->refunded) view.note("The play was given back.");
    return std::unexpected(std::move(end).error());
  }
  USHER_CHECK(report);
  report->finished = end->finished;
  report->resumed = started.resumed;
  report->committed = committed && !report->refunded;
  report->elapsed_ms = end->elapsed_ms;
  return report;
}

Result<PlayReport> LiveListener::play(const Id128& medium, const PlayRequest& request, PlayView& view) {
  USHER_CHECK(check_player(request.player, request.output));
  if (!wallet_.knows_usable(medium, clock_.now())) {
    view.note("No licence for it is kept here that could be used; the server decides.");
  }
  USHER_TRY(const Started started, start(medium, request, view));
  OpenPlay& play = *started.play;
  auto mark = wallet_.begin(started.mark, play.plays_left());
  if (!mark) {
    if (!started.resumed) {
      [[maybe_unused]] const auto ignored = engine_.close(play);
    }
    return std::unexpected(std::move(mark).error());
  }
  return listen(started, request, view, **mark);
}

}  // namespace usher::client
