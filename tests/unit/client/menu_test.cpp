#include "client/menu.h"

#include <gtest/gtest.h>

#include <sstream>

#include "client/text.h"

namespace usher::client {
namespace {

/// A listener without a server: records the requests.
class FakeListener final : public Listener {
 public:
  [[nodiscard]] PersonInfo who() const override {
    return {.server = "http://music.example:8080",
            .server_id = "music",
            .name = "Ana \x1b[31mSilva",
            .pseudonym = "00",
            .suite = "ECDHE_AES256_GCM_SHA384"};
  }
  [[nodiscard]] Result<Overview> overview() override {
    ++lists;
    if (broken) return fail(Fault::unreachable, "test", "music.example");
    Overview overview;
    // Media whose manifests are not verified cannot be made here: the catalogue shows why it does not offer them.
    overview.catalogue.push_back({.id = {1}, .medium = fail(Fault::untrusted, "test"), .number = 1});
    overview.differences = differences;
    return overview;
  }
  [[nodiscard]] Result<HeldLicence> acquire(const wire::Acquire&) override {
    ++acquired;
    return fail(Fault::acquisition_closed, "test");
  }
  [[nodiscard]] Result<PlayReport> play(const Id128&, const PlayRequest&, PlayView&) override {
    ++played;
    return fail(Fault::no_licence, "test");
  }
  int lists = 0;
  int acquired = 0;
  int played = 0;
  bool broken = false;
  std::vector<Difference> differences;
};

struct Shown {
  std::string text;
  Result<> outcome;
};
Shown run(FakeListener& listener, const std::string& typed) {
  std::istringstream in(typed);
  std::ostringstream out;
  const MenuOptions options{.play = {}, .view = [] { return std::unique_ptr<PlayView>(); }};
  auto outcome = run_menu(listener, options, in, out);
  return {out.str(), std::move(outcome)};
}
bool has(const Shown& shown, std::string_view part) { return shown.text.find(part) != std::string::npos; }

TEST(Menu, SaysThatItIsConnectedAndWhoWasAuthenticatedThenShowsLicencesAndCatalogue) {
  FakeListener listener;
  const Shown shown = run(listener, "q\n");
  EXPECT_TRUE(shown.outcome.has_value());
  const std::size_t connected = shown.text.find("Connected to http://music.example:8080");
  const std::size_t who = shown.text.find("Authenticated: Ana");
  const std::size_t licences = shown.text.find("You have no licences.");
  const std::size_t catalogue = shown.text.find("Catalogue:");
  const std::size_t menu = shown.text.find("1 music list   2 play   3 acquire licence   q quit");
  EXPECT_LT(connected, who);
  EXPECT_LT(who, licences);
  EXPECT_LT(licences, catalogue);
  EXPECT_LT(catalogue, menu);
  EXPECT_NE(menu, std::string::npos);
}

TEST(Menu, NothingOfTheServersReachesTheTerminalAsAControlSequence) {
  FakeListener listener;
  listener.differences.push_back(
      {.kind = DifferenceKind::missing, .licence = "01", .sentence = "evil \x1b]0;title\x07"});
  const Shown shown = run(listener, "q\n");
  EXPECT_EQ(shown.text.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.text.find('\x07'), std::string::npos);
}

TEST(Menu, EndsWithItsInput) {
  FakeListener listener;
  EXPECT_TRUE(run(listener, "").outcome.has_value());
  EXPECT_TRUE(run(listener, "3\n1\n").outcome.has_value());
  EXPECT_EQ(listener.acquired, 0);
}

TEST(Menu, BeginsNothingAnyMoreWhenItIsOver) {
  FakeListener listener;
  std::istringstream in("1\n3\nq\n");
  std::ostringstream out;
  const MenuOptions options{.view = [] { return std::unique_ptr<PlayView>(); },
                            .over = [&listener] { return listener.lists > 1; }};
  EXPECT_EQ(run_menu(listener, options, in, out).error().fault, Fault::cancelled);
  EXPECT_EQ(listener.lists, 2);
  EXPECT_EQ(listener.acquired, 0);
}

TEST(Menu, OneListsAgain) {
  FakeListener listener;
  run(listener, "1\n1\nq\n");
  EXPECT_EQ(listener.lists, 3);
}

TEST(Menu, AnotherChoiceIsAskedForAgain) {
  FakeListener listener;
  const Shown shown = run(listener, "7\nplay\nq\n");
  EXPECT_TRUE(has(shown, "Choose 1, 2, 3 or q."));
}

TEST(Menu, AcquiringAsksForTheTypeFirstAndReturnsOnQ) {
  FakeListener listener;
  const Shown shown = run(listener, "3\nx\n5\nq\nq\n");
  EXPECT_TRUE(has(shown, "(1) single play  (2) 5 plays  (3) 10 plays  (4) 20 plays  (q) return: "));
  EXPECT_EQ(listener.acquired, 0);
}

TEST(Menu, AMediumThatCannotBeTrustedIsNeitherPlayedNorAcquired) {
  FakeListener listener;
  const Shown shown = run(listener, "2\n1\n3\n1\n1\nq\n");
  EXPECT_TRUE(has(shown, "[untrusted]"));
  EXPECT_EQ(listener.played, 0);
  EXPECT_EQ(listener.acquired, 0);
}

TEST(Menu, ANumberThatIsNotInTheCatalogueIsTold) {
  FakeListener listener;
  for (const char* number : {"0", "2", "-1", "99999999999999999999", "1x", "0x1"}) {
    const Shown shown = run(listener, std::string("2\n") + number + "\nq\n");
    EXPECT_TRUE(has(shown, "[unknown-medium]")) << number;
  }
  EXPECT_EQ(listener.played, 0);
}

TEST(Menu, DifferencesAreToldExactly) {
  FakeListener listener;
  listener.differences.push_back({.kind = DifferenceKind::more_plays,
                                  .licence = "01",
                                  .sentence = "Licence 01: 3 plays left by what is kept here, 5 plays by the server."});
  const Shown shown = run(listener, "q\n");
  EXPECT_TRUE(has(shown, "[licences-differ]"));
  EXPECT_TRUE(has(shown, "Licence 01: 3 plays left by what is kept here, 5 plays by the server."));
}

TEST(Menu, AServerThatIsGoneEndsItAtTheStartOnly) {
  FakeListener listener;
  listener.broken = true;
  EXPECT_EQ(run(listener, "q\n").outcome.error().fault, Fault::unreachable);
}

TEST(ReportText, SaysWhatThePlayCost) {
  EXPECT_EQ(report_text({.finished = true, .committed = true, .plays_left = 4}),
            "Played to the end. It counts as one play; 4 are left.");
  EXPECT_EQ(report_text({.refunded = true, .elapsed_ms = 12'000, .plays_left = 1}),
            "Stopped at 0:12. The play was given back; 1 is left.");
  EXPECT_EQ(report_text({.elapsed_ms = 190'000, .plays_left = wire::kNoLimit}), "Stopped at 3:10.");
}

TEST(LineText, SaysWhenThePlayBeginsToCountAndWhatIsWaitedFor) {
  PlayPosition now{.elapsed_ms = 12'000, .total_ms = 228'000, .counts = {.kind = CountsFrom::Kind::time, .ms = 30'000}};
  EXPECT_EQ(line_text(now, 3), "0:12 / 3:48   3 plays left   counts from 0:30");
  now.flow = Flow::waiting;
  now.counts = {.kind = CountsFrom::Kind::first_new};
  EXPECT_EQ(line_text(now, 3),
            "0:12 / 3:48   waiting for the server   3 plays left   counts from the first new second");
  now.flow = Flow::silent;
  now.counts = {.kind = CountsFrom::Kind::already};
  now.going_to = 60'000;
  EXPECT_EQ(line_text(now, 1), "0:12 / 3:48   to 1:00   the player does not play   1 play left   counts");
}

TEST(LineText, OnANarrowTerminalItSaysLessInWholeWords) {
  PlayPosition now{.elapsed_ms = 12'000, .total_ms = 228'000, .counts = {.kind = CountsFrom::Kind::time, .ms = 30'000}};
  EXPECT_EQ(line_text(now, 3, 39), "0:12 / 3:48  3 left  counts from 0:30");
  EXPECT_EQ(line_text(now, 3, 19), "0:12 / 3:48  3 left");
  now.paused = true;
  EXPECT_EQ(line_text(now, 3, 39), "0:12 / 3:48  paused   3 plays left");
  EXPECT_EQ(line_text(now, 3, 19), "0:12 / 3:48  paused");
  now.typed = "1:2";
  EXPECT_EQ(line_text(now, 3, 19), "0:12  to 1:2_  pau…");
  const PlayPosition hours{.elapsed_ms = 36'000'000, .total_ms = 39'600'000};
  EXPECT_EQ(line_text(hours, 3, 19), "10:00:00 / 11:00:00");
}

TEST(LineText, FitsWhateverTheWidth) {
  PlayPosition now{.elapsed_ms = 12'000, .total_ms = 36'000'000, .counts = {.kind = CountsFrom::Kind::first_new}};
  for (const Flow flow : {Flow::playing, Flow::waiting, Flow::silent}) {
    for (const bool paused : {false, true}) {
      now.flow = flow;
      now.paused = paused;
      for (std::size_t columns = 1; columns < 120; ++columns) {
        const std::string line = line_text(now, wire::kNoLimit, columns);
        EXPECT_LE(columns_of(line), columns) << line;
        EXPECT_TRUE(columns < 10 || line.starts_with("0:12")) << line;
      }
    }
  }
}

}  // namespace
}  // namespace usher::client
