#include "client/play/player.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "client/play/playback.h"
#include "support/eventually.h"
#include "support/temporary_folder.h"
#include "unit/client/ogg_medium.h"

namespace usher::client {
namespace {

namespace fs = std::filesystem;
constexpr const char* kTrack = "/usr/share/games/singularity/music/Awakening.ogg";

using test::TemporaryFolder;

/// The player's sound goes into a file, as fast as it can be decoded.
void sound_into(const fs::path& file) {
  ::setenv("SDL_AUDIODRIVER", "disk", 1);
  ::setenv("SDL_DISKAUDIOFILE", file.c_str(), 1);
  ::setenv("SDL_DISKAUDIODELAY", "1", 1);
}

class TestView : public PlaybackView {
 public:
  void position(const PlayPosition& now) override {
    positions.push_back(now);
    if (on_position) on_position(now);
  }
  std::vector<Key> keys() override { return std::exchange(pressed, {}); }
  void note(std::string_view sentence) override { notes.emplace_back(sentence); }
  std::vector<PlayPosition> positions;
  std::vector<Key> pressed;
  std::vector<std::string> notes;
  std::function<void(const PlayPosition&)> on_position;
};

/// ffplay writes silence before its decoder has begun and behind the end: how much is its own affair.
bool is_track(View heard, View decoded) {
  const auto found = std::ranges::search(heard, decoded);
  if (decoded.empty() || found.empty()) return false;
  const auto silent = [](std::uint8_t byte) { return byte == 0; };
  return std::all_of(heard.begin(), found.begin(), silent) && std::all_of(found.end(), heard.end(), silent);
}

Bytes decoded(const fs::path& track, const fs::path& raw) {
  const std::string command =
      "ffmpeg -v error -y -i '" + track.string() + "' -f s16le -ac 2 -ar 48000 '" + raw.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT: a test's own command
  return test::file_bytes(raw.string());
}

TEST(Player, WhatIsHeardIsTheDecodedTrackBitForBit) {
  if (!fs::exists(kTrack)) GTEST_SKIP() << "singularity-music is not installed";
  const TemporaryFolder folder;
  sound_into(folder / "heard.raw");
  // Forty seconds are enough; a whole number of pages is not needed, a decoder takes what is there.
  const fs::path part = folder / "part.ogg";
  const std::string cut =
      std::string("ffmpeg -v error -y -t 40 -i '") + kTrack + "' -map 0:a -c copy '" + part.string() + "'";
  ASSERT_EQ(std::system(cut.c_str()), 0);  // NOLINT
  const test::TestMedium medium(test::file_bytes(part.string()), 65'536, 40'000);
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_TRUE(end->finished);
  const Bytes heard = test::file_bytes((folder / "heard.raw").string());
  const Bytes track = decoded(part, folder / "decoded.raw");
  EXPECT_TRUE(is_track(heard, track)) << heard.size() << " bytes heard, " << track.size() << " decoded";
  ASSERT_FALSE(view.positions.empty());
  EXPECT_GT(view.positions.back().elapsed_ms, 1'000U);
  EXPECT_LE(view.positions.back().elapsed_ms, 40'000U);
}

TEST(Player, AJunkFileIsAFailureThoughTheStatusIsZero) {
  const TemporaryFolder folder;
  sound_into(folder / "heard.raw");
  const test::TestMedium medium(test::pattern(100'000), 4096, 5'000);
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {}, view);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().fault, Fault::player_failed);
  EXPECT_NE(end.error().about.find("Invalid data"), std::string::npos) << end.error().about;
}

TEST(Player, ASoundThatCannotBeOpenedIsAFailure) {
  ::setenv("SDL_AUDIODRIVER", "no-such-driver", 1);
  const test::TestMedium medium(test::pattern(100'000));
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {}, view);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().fault, Fault::player_failed);
}

TEST(Player, ALyingChunkNeverReachesThePlayer) {
  const TemporaryFolder folder;
  const std::string player = folder.script("player", "exec cat > \"$(dirname \"$0\")/taken\"");
  const test::TestMedium medium(test::pattern(8 * 4096));
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    auto body = medium.body(chunk);
    if (chunk == 5) body.chunk[0] ^= 0x80;
    return body;
  };
  Fetcher fetcher(medium.manifest, get);
  TestView view;
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().fault, Fault::chunk_damaged);
  const Bytes taken = test::file_bytes((folder / "taken").string());
  EXPECT_EQ(taken, to_bytes(View(medium.bytes).first(std::size_t{5} * 4096)));
}

TEST(Player, ASlowPlayerIsSentNoFasterThanItTakes) {
  const TemporaryFolder folder;
  // It reads 4 KiB and then waits for the file that lets it continue.
  const std::string player = folder.script("player",
                                           "D=$(dirname \"$0\")\nhead -c 4096 > /dev/null\n"
                                           "while [ ! -e \"$D/go\" ]; do sleep 0.01; done\ncat > /dev/null");
  const test::TestMedium medium(test::pattern(200 * 4096), 4096, 200'000);  // a second a chunk
  std::atomic<std::uint32_t> asked{0};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    ++asked;
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 4});
  TestView view;
  std::uint32_t before = 0;
  view.on_position = [&](const PlayPosition&) {
    // Once two looks in a row see the same number, nothing moves: pipe, player's page and window are full.
    if (before == asked) std::ofstream(folder / "go") << "go";
    before = asked;
    if (fs::exists(folder / "go")) return;
    EXPECT_LT(asked, 1U + 1U + 10U + 2U);  // a page of pipe, taken, ten seconds ahead, in hand
  };
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_EQ(asked, 200U);
}

TEST(Player, APlayerThatEndsEarlyIsAFailureWithItsWords) {
  const TemporaryFolder folder;
  const std::string player = folder.script("player", "echo 'no sound \x1b[31mhere' >&2; exit 3");
  const test::TestMedium medium(test::pattern(200 * 4096));
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().fault, Fault::player_failed);
  EXPECT_NE(end.error().about.find("no sound"), std::string::npos);
  EXPECT_EQ(end.error().about.find('\x1b'), std::string::npos);
}

TEST(Player, OneThatIsNotThereIsMissing) {
  EXPECT_EQ(check_player({.command = "/nonexistent/player"}).error().fault, Fault::player_missing);
  EXPECT_EQ(check_player({.command = "no-such-player-anywhere"}).error().fault, Fault::player_missing);
}

TEST(Player, OutputIntoARegularFileIsRefused) {
  const TemporaryFolder folder;
  const int file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(check_player({.command = "-"}, file).error().fault, Fault::unsafe_output);
  ::close(file);
  EXPECT_EQ(fs::file_size(folder / "out"), 0U);
}

TEST(Player, OutputIntoAPipeIsTheMedium) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  Bytes taken;
  std::jthread reader([&] {
    std::array<std::uint8_t, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
      append(taken, View(buffer).first(static_cast<std::size_t>(got)));
    }
  });
  const test::TestMedium medium(test::pattern(50 * 4096 + 3));
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {.player = {.command = "-"}, .output = ends[1]}, view);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(taken, medium.bytes);
}

TEST(Player, AReaderThatGoesAwayIsNoSignal) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  const test::TestMedium medium(test::pattern(50 * 4096));
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {.player = {.command = "-"}, .output = ends[1]}, view);
  ::close(ends[1]);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().fault, Fault::player_failed);
}

TEST(Player, QuitEndsThePlayerAtOnce) {
  const TemporaryFolder folder;
  const std::string player = folder.script("player", "exec sleep 600");
  const test::TestMedium medium(test::pattern(200 * 4096));
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  view.pressed = {Key::quit};
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->finished);
}

TEST(Player, PauseStopsTheProcessAndSpaceLetsItGoOn) {
  const TemporaryFolder folder;
  // It plays until it is stopped: its ticks stand for sound.
  const std::string player = folder.script("player", "cat > /dev/null\n");
  const test::TestMedium medium(test::pattern(4'000 * 4096));
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>&) -> Result<wire::ChunkBody> {
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get);
  TestView view;
  // Queried from the system, not from the script: the script may be stopped before it writes anything.
  const auto is_stopped = [] {
    return std::ranges::any_of(fs::directory_iterator("/proc"), [](const fs::directory_entry& process) {
      if (process.path().filename().string().find_first_not_of("0123456789") != std::string::npos) return false;
      std::ifstream file(process.path() / "stat");
      const std::string stat((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      const std::size_t at = stat.rfind(") ");
      return at != std::string::npos && stat.substr(at + 2).starts_with("T " + std::to_string(::getpid()) + " ");
    });
  };
  bool was_stopped = false;
  view.pressed = {Key::pause};
  view.on_position = [&](const PlayPosition& now) {
    if (!now.paused || was_stopped) return;
    was_stopped = test::eventually(is_stopped);
    view.pressed = {Key::pause};
  };
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_TRUE(was_stopped);
  EXPECT_TRUE(end->finished);
}

TEST(Player, SeekingFeedsANewPlayerWithTheHeadersAndTheRightPlace) {
  if (!fs::exists(kTrack)) GTEST_SKIP() << "singularity-music is not installed";
  const TemporaryFolder folder;
  sound_into(folder / "heard.raw");
  const test::TestMedium medium = test::ogg_medium(kTrack, 208'500);
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  const auto end = play_back(fetcher, {.start_ms = 190'000}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  ASSERT_FALSE(view.positions.empty());
  EXPECT_GE(view.positions.front().elapsed_ms, 186'000U);
  // What was heard is the track's last part: 48,000 samples a second, two channels of two bytes.
  const auto heard = fs::file_size(folder / "heard.raw");
  EXPECT_GT(heard, 15U * 192'000U);
  EXPECT_LT(heard, 23U * 192'000U);
}

TEST(Player, AMediumThatCannotBeEnteredInItsMiddlePlaysOn) {
  const TemporaryFolder folder;
  const std::string player = folder.script("player", "exec cat > \"$(dirname \"$0\")/taken\"");
  const test::TestMedium medium(test::pattern(900 * 4096), 4096, 60'000);
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  view.pressed = {Key::forward};
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_EQ(test::file_bytes((folder / "taken").string()), medium.bytes);
  // If everything was played before the key was noticed, there is no note.
  EXPECT_LE(view.notes.size(), 1U);
}

TEST(Player, QuitIsHeardWhileAPlaceIsSought) {
  if (!fs::exists(kTrack)) GTEST_SKIP() << "singularity-music is not installed";
  const TemporaryFolder folder;
  const std::string player = folder.script("player", "exec sleep 600");
  const test::TestMedium medium = test::ogg_medium(kTrack, 208'500);
  // The server is gone for every chunk except the beginning.
  std::atomic<bool> sought{false};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>& stop) -> Result<wire::ChunkBody> {
    if (chunk < 4) return medium.body(chunk);
    sought = true;
    EXPECT_TRUE(test::eventually([&] { return stop.load(); }));
    return fail(Fault::cancelled, "test");
  };
  Fetcher fetcher(medium.manifest, get, {.window = 1});
  TestView view;
  for (const char c : std::string("2:00\n")) view.pressed.push_back(Key{static_cast<std::uint8_t>(c)});
  view.on_position = [&](const PlayPosition&) {
    if (sought) view.pressed = {Key::quit};
  };
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_FALSE(end->finished);
}

TEST(Player, AnArrowSendsThePlayerToAnotherPlace) {
  if (!fs::exists(kTrack)) GTEST_SKIP() << "singularity-music is not installed";
  const TemporaryFolder folder;
  // Each player keeps what it is given in a file of its own; the first one never ends by itself.
  const std::string player =
      folder.script("player",
                    "D=$(dirname \"$0\")\nif [ -e \"$D/first\" ]; then exec cat > \"$D/second\"; fi\n"
                    "touch \"$D/first\"\nexec sleep 600");
  const test::TestMedium medium = test::ogg_medium(kTrack, 208'500);
  Fetcher fetcher(medium.manifest, medium.getter());
  TestView view;
  bool pressed = false;
  view.on_position = [&](const PlayPosition&) {
    if (fs::exists(folder / "first") && std::exchange(pressed, true) == false) view.pressed = {Key::forward};
  };
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_TRUE(end->finished);
  const Bytes taken = test::file_bytes((folder / "second").string());
  ASSERT_GT(taken.size(), 100'000U);
  EXPECT_LT(taken.size(), medium.bytes.size());
  EXPECT_TRUE(std::equal(taken.begin(), taken.begin() + 2'000, medium.bytes.begin()));      // the headers
  EXPECT_TRUE(std::equal(taken.rbegin(), taken.rbegin() + 90'000, medium.bytes.rbegin()));  // and the rest to its end
}

TEST(PlayerOutput, FfplaysStatusLinesAreTheClock) {
  PlayerOutput output(PlayerKind::ffplay);
  output.add("    nan    :  0.000 fd=   0 aq=    0KB vq=    0KB sq=    0B f=0/0   \r");
  EXPECT_FALSE(output.clock().has_value());
  output.add("  -0.03 M-A:  0.000 fd=   0 aq=   12KB vq=    0KB sq=    0B f=0/0   \r  12.5");
  EXPECT_EQ(output.clock(), 0.0);
  output.add("0 M-A: -0.000 fd=   0 aq=   14KB vq=    0KB sq=    0B f=0/0   \rpipe:0: Invalid data\n");
  EXPECT_EQ(output.clock(), 12.5);
  EXPECT_EQ(output.said(), "pipe:0: Invalid data");
}

TEST(PlayerOutput, MpvsStatusLinesAreTheClock) {
  PlayerOutput output(PlayerKind::mpv);
  output.add("\r\x1b[Kusher 0.031693\n\x1b[K\x1b[A\r\x1b[Kusher 12.5\n\x1b[K\x1b[A\r[ao] It broke\n");
  EXPECT_EQ(output.clock(), 12.5);
  EXPECT_EQ(output.said(), "[ao] It broke");
}

TEST(PlayerOutput, WhatAPlayerSaysIsBoundedAndSafeToPrint) {
  PlayerOutput output(PlayerKind::other);
  for (int i = 0; i < 1'000; ++i) output.add(std::string(10'000, 'x') + "\x1b[2J\n");
  EXPECT_LE(output.said().size(), 300U);
  EXPECT_EQ(output.said().find('\x1b'), std::string::npos);
}

TEST(PlayerOutput, OfAMissingSoundCardTheCauseIsToldAndNotTheTrace) {
  PlayerOutput output(PlayerKind::ffplay);
  const std::string trace =
      "ALSA lib confmisc.c:855:(parse_card) cannot find card '0'\n"
      "ALSA lib conf.c:5178:(_snd_config_evaluate) function snd_func_card_inum returned error: No such file\n"
      "ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default\n";
  for (const char* channels : {"2", "1"}) {
    output.add(trace + "SDL_OpenAudio (" + channels +
               " channels, 44100 Hz): ALSA: Couldn't open audio device: No such file or directory\n");
  }
  output.add("No more combinations to try, audio open failed\n");
  EXPECT_EQ(output.said(),
            "SDL_OpenAudio (2 channels, 44100 Hz): ALSA: Couldn't open audio device: No such file or directory; "
            "No more combinations to try, audio open failed (and 7 more lines)");
}

TEST(PlayerOutput, ATraceIsToldWhereItIsAllThereIs) {
  PlayerOutput output(PlayerKind::mpv);
  output.add("ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default\nALSA lib a.c:1:(b) c\n");
  EXPECT_EQ(output.said(), "ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default (and 1 more line)");
}

TEST(KeyReader, ArrowsSpaceAndQ) {
  KeyReader keys;
  EXPECT_EQ(keys.read(" q\x1b[D\x1b[C\x1bOD"),
            (std::vector<Key>{Key::pause, Key::quit, Key::back, Key::forward, Key::back}));
}

TEST(KeyReader, ASequenceCutInTwoIsStillOneKey) {
  KeyReader keys;
  EXPECT_TRUE(keys.read("\x1b").empty());
  EXPECT_TRUE(keys.read("[").empty());
  EXPECT_EQ(keys.read("C"), std::vector<Key>{Key::forward});
  EXPECT_TRUE(keys.read("\x1b[1;5A\x1b[3~x").empty());
  EXPECT_EQ(keys.read(" "), std::vector<Key>{Key::pause});
}

TEST(ClockText, HasHoursOnlyWhereThereAreSome) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(125'999), "2:05");
  EXPECT_EQ(clock_text(3'725'000), "1:02:05");
}

}  // namespace
}  // namespace usher::client
