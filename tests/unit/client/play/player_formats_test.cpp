// Both real players with every form of media, from 8 kbit/s to 1.4 Mbit/s, fed no further than a listener may have:
// whatever a player wants to read before it begins, it gets to the end.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/play/playback.h"
#include "support/eventually.h"
#include "support/temporary_folder.h"
#include "unit/client/medium.h"

namespace usher::client {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kDuration = 24'000;  // milliseconds

struct Form {
  const char* name;
  const char* source;     // of lavfi
  const char* arguments;  // of ffmpeg
  const char* extension;
};
constexpr const char* kTone = "sine=f=440:d=24";
constexpr const char* kNoise = "anoisesrc=d=24:a=0.5:r=44100";
constexpr const char* kFragments = " -movflags +frag_keyframe+empty_moov+default_base_moof -frag_duration 2000000";
const std::vector<Form> kForms{
    {"VorbisInOgg", kNoise, "-ac 2 -c:a libvorbis -q:a 5", "ogg"},
    {"OpusInOgg8k", kTone, "-ac 1 -c:a libopus -b:a 8k", "ogg"},
    {"FlacInOgg", kNoise, "-ac 2 -c:a flac", "ogg"},
    {"Mp3At8k", kTone, "-ac 1 -ar 8000 -c:a libmp3lame -b:a 8k", "mp3"},
    {"Mp3At320k", kNoise, "-ac 2 -c:a libmp3lame -b:a 320k", "mp3"},
    {"Flac", kNoise, "-ac 2 -c:a flac", "flac"},
    {"Wav", kNoise, "-ac 2 -c:a pcm_s16le", "wav"},
    {"WavAt64k", kTone, "-ac 1 -ar 8000 -c:a pcm_u8", "wav"},
    {"AacInMp4At16k", kTone, "-ac 1 -ar 16000 -c:a aac -b:a 16k", "mp4"},
    {"AacInMp4At256k", kNoise, "-ac 2 -c:a aac -b:a 256k", "mp4"},
    {"OpusInWebm8k", kTone, "-ac 1 -c:a libopus -b:a 8k", "webm"},
    {"OpusInWebm256k", kNoise, "-ac 2 -c:a libopus -b:a 256k", "webm"},
};

void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT: a test's own command
}

/// Chunks of about two seconds, and an index of about two seconds, as the press makes them.
test::TestMedium pressed(const Form& form, const test::TemporaryFolder& folder) {
  const std::string file = (folder / (std::string("medium.") + form.extension).c_str()).string();
  const std::string packets = (folder / "packets").string();
  const bool fragments = std::string_view(form.extension) == "mp4";
  run("ffmpeg -v error -y -f lavfi -i " + std::string(form.source) + " " + form.arguments +
      (fragments ? kFragments : "") + " '" + file + "'");
  run("ffprobe -v error -select_streams a:0 -show_entries packet=pts_time,pos -of csv=p=0 '" + file + "' > '" +
      packets + "'");
  const Bytes bytes = test::file_bytes(file);
  const auto chunk = static_cast<std::uint32_t>(std::clamp<std::size_t>(bytes.size() / 12, 8 << 10, 256 << 10));
  test::TestMedium medium(bytes, chunk, kDuration);
  std::ifstream in(packets);
  for (std::string line; std::getline(in, line);) {
    double seconds = 0;
    std::uint64_t offset = 0;
    char comma = 0;
    if (!(std::istringstream(line) >> seconds >> comma >> offset)) continue;
    const auto time = static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1000);
    media::Manifest& manifest = medium.manifest;
    if (time == 0 && manifest.head == 0) manifest.head = static_cast<std::uint32_t>(offset);
    const media::SeekPoint last =
        manifest.seek.empty() ? media::SeekPoint{.time_ms = 0, .offset = manifest.head} : manifest.seek.back();
    if (time >= last.time_ms + 2'000 && offset > last.offset && time < kDuration) {
      manifest.seek.push_back({.time_ms = time, .offset = offset});
    }
  }
  return medium;
}

class EndlessView final : public PlaybackView {
 public:
  void position(const PlayPosition& now) override {
    last = now;
    silent += now.flow == Flow::silent ? 1 : 0;
    if (on_position) on_position(now);
    // After this many looks even on a slow machine the player waits for bytes that it does not get.
    if (++looks == 3'000) pressed = {Key::quit};
  }
  std::vector<Key> keys() override { return std::exchange(pressed, {}); }
  void note(std::string_view) override {}
  PlayPosition last;
  int looks = 0;
  int silent = 0;
  std::vector<Key> pressed;
  std::function<void(const PlayPosition&)> on_position;
};

class Formats : public ::testing::TestWithParam<Form> {
 protected:
  void play_with(const std::string& player) {
    const test::TestMedium medium = pressed(GetParam(), folder);
    const wire::Opened opened = test::standing(medium.manifest.chunks / 2);
    HeardClock own;
    Fetcher fetcher(medium.manifest, medium.getter(), {.plan = PlayPlan(medium.manifest, opened, {})});
    EndlessView view;
    const auto end = play_back(fetcher, {.player = {.command = player}, .own = &own}, view);
    ASSERT_TRUE(end.has_value()) << explain(end.error());
    EXPECT_TRUE(end->finished) << "it stopped at " << end->elapsed_ms << " ms of the medium";
    EXPECT_GT(view.last.elapsed_ms, kDuration / 2);
    EXPECT_GE(own.heard_ms() + 500, kDuration);
    EXPECT_EQ(view.silent, 0);
  }
  test::TemporaryFolder folder;
};

TEST_P(Formats, FfplayPlaysItToItsEnd) {
  ::setenv("SDL_AUDIODRIVER", "disk", 1);
  ::setenv("SDL_DISKAUDIOFILE", (folder / "heard.raw").c_str(), 1);
  ::setenv("SDL_DISKAUDIODELAY", "1", 1);
  play_with("ffplay");
}

TEST_P(Formats, MpvPlaysItToItsEnd) {
  play_with(folder.script("mpv", "exec /usr/bin/mpv --ao=null --speed=8 --audio-pitch-correction=no \"$@\""));
}

/// From the sixth second on no bytes arrive until the listener has been notified of it a few times.
void stall_with(const std::string& player, const test::TemporaryFolder& folder) {
  const test::TestMedium medium = pressed(kForms.front(), folder);
  EndlessView view;
  std::atomic<bool> answers{false};
  const GetChunk get = [&](std::uint32_t chunk, const std::atomic<bool>& stop) -> Result<wire::ChunkBody> {
    EXPECT_TRUE(test::eventually([&] { return chunk < 3 || answers || stop; }));
    return medium.body(chunk);
  };
  Fetcher fetcher(medium.manifest, get, {.window = 1});
  const std::uint64_t given = Timeline(medium.manifest).time_at(std::uint64_t{3} * medium.manifest.chunk_size);
  int waited = 0;
  std::uint64_t last = 0;
  view.on_position = [&](const PlayPosition& now) {
    EXPECT_GE(now.elapsed_ms, last);
    last = now.elapsed_ms;
    EXPECT_TRUE(answers || now.elapsed_ms <= given) << now.elapsed_ms;
    if (now.flow == Flow::waiting && ++waited == 20) answers = true;
    if (answers && now.elapsed_ms > given + 1'000) view.pressed = {Key::quit};
  };
  const auto end = play_back(fetcher, {.player = {.command = player}}, view);
  ASSERT_TRUE(end.has_value()) << explain(end.error());
  EXPECT_GE(waited, 20);
  EXPECT_GT(last, given + 1'000) << "it did not go on";
}

TEST(StalledServer, IsWaitedForWithFfplayAndTheTimeStandsStill) {
  const test::TemporaryFolder folder;
  ::setenv("SDL_AUDIODRIVER", "dummy", 1);
  stall_with("ffplay", folder);
}

TEST(StalledServer, IsWaitedForWithMpvAndTheTimeStandsStill) {
  const test::TemporaryFolder folder;
  stall_with(folder.script("mpv", "exec /usr/bin/mpv --ao=null --speed=8 --audio-pitch-correction=no \"$@\""), folder);
}

INSTANTIATE_TEST_SUITE_P(Each, Formats, ::testing::ValuesIn(kForms),
                         [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace usher::client
