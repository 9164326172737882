#include "client/listener.h"

#include "base/encoding.h"

namespace usher::client {
namespace {

constexpr std::uint64_t kKeepPosition = 5'000;  // milliseconds between two writings of the position
constexpr std::uint64_t kStepBack = 3'000;      // milliseconds heard again when a play is carried on with

bool is_over(Fault fault) {
  return fault == Fault::play_over || fault == Fault::play_expired || fault == Fault::unknown_play;
}
/// The play stays open at the server, to be carried on with.
bool leaves_open(Fault fault) { return exit_class_of(fault) == ExitClass::network || fault == Fault::bad_statement; }

/// Keeps the position on its way to the one who watches.
class MarkingView final : public PlaybackView {
 public:
  MarkingView(PlaybackView& inner, PlayMark& mark) : inner_(inner), mark_(mark) {}
  void position(const PlayPosition& now) override {
    const std::uint64_t moved = now.elapsed_ms > kept_ ? now.elapsed_ms - kept_ : kept_ - now.elapsed_ms;
    if (moved >= kKeepPosition) {
      mark_.position(now.elapsed_ms);
      kept_ = now.elapsed_ms;
    }
    inner_.position(now);
  }
  [[nodiscard]] std::vector<Key> keys() override { return inner_.keys(); }
  void note(std::string_view sentence) override { inner_.note(sentence); }

 private:
  PlaybackView& inner_;
  PlayMark& mark_;
  std::uint64_t kept_ = 0;
};

}  // namespace

Who LiveListener::who() const {
  const wire::Authenticated person = engine_.person();
  return {.server = server_,
          .server_id = person.server_id,
          .name = person.name,
          .pseudonym = to_hex(person.pseudonym),
          .suite = engine_.suite()};
}

Result<Shelf> LiveListener::shelf() {
  Shelf shelf;
  USHER_TRY(shelf.catalogue, engine_.catalogue());
  USHER_TRY(const std::vector<wire::LicenceEntry> listed, engine_.licences());
  shelf.differences = wallet_.take_findings();
  USHER_TRY(Reconciled reconciled, wallet_.reconcile(listed));
  shelf.licences = std::move(reconciled.licences);
  std::ranges::move(reconciled.differences, std::back_inserter(shelf.differences));
  return shelf;
}

Result<HeldLicence> LiveListener::acquire(const wire::Acquire& wanted) {
  USHER_CHECK(wallet_.check_writable());  // before the server counts it
  USHER_TRY(const wire::LicenceEntry entry, engine_.acquire(wanted));
  return wallet_.add(entry);
}

Result<std::optional<LiveListener::Started>> LiveListener::carry_on(const Id128& medium, const PlayRequest& request) {
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
  for (const UnfinishedPlay& old : open) {
    if (request.licence && *request.licence != old.licence) continue;
    auto play = engine_.resume(old.play);
    if (play && (*play)->medium().id() == medium) {
      const std::uint64_t position = old.position_ms > kStepBack ? old.position_ms - kStepBack : 0;
      return Started{.play = *std::move(play), .position_ms = position, .resumed = true};
    }
    if (play) return fail(Fault::release_mismatch, "listener: resumed", "the server resumed another medium");
    if (!is_over(play.error().fault)) return std::unexpected(std::move(play).error());
    if (const auto mark = wallet_.begin(old)) (*mark)->done();
  }
  return std::nullopt;
}

Result<LiveListener::Started> LiveListener::start(const Id128& medium, const PlayRequest& request) {
  USHER_TRY(std::optional<Started> old, carry_on(medium, request));
  if (old) return *std::move(old);
  USHER_TRY(auto play, engine_.open({.medium = medium, .licence = request.licence}));
  return Started{.play = std::move(play)};
}

Result<PlaybackEnd> LiveListener::listen(const Started& started, const PlayRequest& request, PlayView& view,
                                         PlayMark& mark) {
  OpenPlay& play = *started.play;
  Fetcher fetcher(play.medium().manifest(),
                  [&](std::uint32_t chunk, const std::atomic<bool>& stop) { return engine_.chunk(play, chunk, stop); },
                  {.window = request.window});
  MarkingView marking(view, mark);
  return play_back(fetcher,
                   {.player = request.player,
                    .start_ms = started.position_ms,
                    .interrupted = request.interrupted,
                    .output = request.output},
                   marking);
}

Result<PlayReport> LiveListener::play(const Id128& medium, const PlayRequest& request, PlayView& view) {
  USHER_CHECK(check_player(request.player, request.output));
  if (!wallet_.knows_usable(medium, clock_.now())) {
    view.note("No licence for it is kept here that could be used; the server decides.");
  }
  USHER_TRY(const Started started, start(medium, request));
  OpenPlay& play = *started.play;
  // Figures that cannot be written only make the next list tell a difference that is none.
  [[maybe_unused]] const auto noted = wallet_.plays_left(play.licence(), play.plays_left());
  auto mark = wallet_.begin({.play = play.id(),
                             .medium = medium,
                             .licence = play.licence(),
                             .position_ms = started.position_ms,
                             .deadline = play.deadline()});
  if (!mark) {
    if (!started.resumed) {
      [[maybe_unused]] const auto ignored = engine_.close(play);
    }
    return std::unexpected(std::move(mark).error());
  }
  view.opened(play.medium(), play.plays_left(), started.resumed);
  const auto end = listen(started, request, view, **mark);
  if (!end && leaves_open(end.error().fault)) return std::unexpected(end.error());
  const auto closed = engine_.close(play);
  if (closed) {
    [[maybe_unused]] const auto noted_again = wallet_.plays_left(play.licence(), closed->plays_left);
    (*mark)->done();
  } else if (is_over(closed.error().fault) || closed.error().fault == Fault::stale_epoch) {
    (*mark)->done();
  }
  if (!end) return std::unexpected(end.error());
  PlayReport report{.finished = end->finished,
                    .resumed = started.resumed,
                    .elapsed_ms = end->elapsed_ms,
                    .plays_left = play.plays_left(),
                    .licence = play.licence()};
  if (closed) {
    report.refunded = closed->refunded;
    report.plays_left = closed->plays_left;
  } else if (!is_over(closed.error().fault)) {
    return std::unexpected(closed.error());
  }
  return report;
}

}  // namespace usher::client
