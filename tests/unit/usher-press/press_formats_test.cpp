// Every form of media that the press accepts, made by ffmpeg and pressed: the manifest describes it correctly. The
// sound is a tone that rises steadily, so that the second of each piece can be computed from its pitch.
#include <cmath>
#include <numeric>

#include "press_fixture.h"

namespace usher::media {
namespace {

using namespace test;
using Arguments = std::vector<std::string>;

constexpr int kSeconds = 12;
constexpr double kLowest = 300;  // Hz, at second 0
constexpr double kRise = 40;     // Hz a second
constexpr int kRate = 16'000;    // of what is decoded to be looked at

/// f(t) = 300 Hz + 40 Hz/s · t.
constexpr const char* kTone = "aevalsrc=0.5*sin(2*PI*(300*t+20*t*t)):s=48000:d=12";
constexpr const char* kPictures = "testsrc=s=160x120:r=25:d=12";

struct Form {
  const char* name;
  Arguments arguments;  // of ffmpeg, after the tone; the last one is the file
  Arguments options;    // of the press
  const char* type;
  bool pictures = false;    // moving ones
  std::uint32_t rate = 0;   // kbit/s that it must have, at least
  double tolerance = 0.12;  // seconds: the encoder's delay and the decoder's first frame
};

std::ostream& operator<<(std::ostream& out, const Form& form) { return out << form.name; }

std::vector<Form> forms() {
  const Arguments remux = {"--remux"};
  return {
      {"OggVorbis", {"-c:a", "libvorbis", "a.ogg"}, {}, "audio/ogg"},
      {"OggOpus", {"-c:a", "libopus", "-b:a", "96k", "a.opus"}, {}, "audio/ogg"},
      {"OggOpusOf8", {"-ac", "1", "-c:a", "libopus", "-b:a", "8k", "a.opus"}, {}, "audio/ogg"},
      {"OggFlac", {"-c:a", "flac", "a.oga"}, {}, "audio/ogg"},
      {"Mp3Of8", {"-ac", "1", "-ar", "8000", "-b:a", "8k", "a.mp3"}, {}, "audio/mpeg", false, 0, 0.5},
      {"Mp3Of320", {"-b:a", "320k", "a.mp3"}, {}, "audio/mpeg", false, 300},
      {"Mp3Varying", {"-q:a", "4", "a.mp3"}, {}, "audio/mpeg"},
      {"Mp3VaryingWithoutHeader",
       {"-q:a", "4", "-write_xing", "0", "-id3v2_version", "0", "a.mp3"},
       remux,
       "audio/mpeg"},
      {"Aac", {"-c:a", "aac", "a.aac"}, {}, "audio/aac"},
      {"Flac", {"-c:a", "flac", "a.flac"}, {}, "audio/flac"},
      {"WavOf1411", {"-ar", "44100", "-ac", "2", "a.wav"}, {}, "audio/wav", false, 1400},
      {"Aiff", {"-ar", "44100", "-ac", "2", "a.aiff"}, {}, "audio/aiff", false, 1400},
      {"Mp4Fragmented",
       {"-c:a", "aac", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "2000000", "a.m4a"},
       {},
       "audio/mp4"},
      {"Mp4IndexAtTheEnd", {"-c:a", "aac", "a.m4a"}, remux, "audio/mp4"},
      {"Mp4IndexInFront", {"-c:a", "aac", "-movflags", "+faststart", "a.m4a"}, remux, "audio/mp4"},
      {"Alac", {"-c:a", "alac", "a.m4a"}, remux, "audio/mp4"},
      {"Matroska", {"-c:a", "libopus", "a.mka"}, {}, "audio/x-matroska"},
      {"WebM", {"-c:a", "libopus", "a.webm"}, {}, "audio/webm"},
      {"WebMLive", {"-c:a", "libopus", "-live", "1", "-cluster_time_limit", "1000", "a.webm"}, {}, "audio/webm"},
      {"Caf", {"-c:a", "pcm_s16le", "a.caf"}, remux, "audio/x-matroska"},
      {"VideoWebM", {"-c:a", "libopus", "-c:v", "libvpx", "-g", "50", "a.webm"}, {}, "video/webm", true},
      {"VideoMp4", {"-c:a", "aac", "-c:v", "mpeg4", "-g", "50", "a.mp4"}, remux, "video/mp4", true},
      {"VideoMatroska", {"-c:a", "aac", "-c:v", "mpeg4", "-g", "50", "a.mkv"}, {}, "video/x-matroska", true},
      {"VideoOgg", {"-c:a", "libvorbis", "-c:v", "libtheora", "-g", "50", "a.ogv"}, {}, "video/ogg", true},
      {"VideoTransport", {"-c:a", "aac", "-c:v", "mpeg4", "-g", "50", "a.ts"}, remux, "video/x-matroska", true},
  };
}

class PressedForm : public PressFixture, public testing::WithParamInterface<Form> {
 protected:
  void make() {
    Arguments all = {"ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", kTone};
    if (GetParam().pictures) all.insert(all.end(), {"-f", "lavfi", "-i", kPictures});
    all.insert(all.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    const Ran made = run_program(all);
    ASSERT_EQ(made.status, 0) << made.err;
  }
  /// Presses the file and opens the release: fills `manifest` and `bytes`.
  void press() {
    const std::string file = GetParam().arguments.back();
    const Ran pressed = press_file(file, GetParam().options);
    ASSERT_EQ(pressed.status, 0) << pressed.err;
    const auto source = open_file(path("rel/a.usher"));
    ASSERT_TRUE(source);
    const auto release = Release::open(*source, PrivateKeyUnwrapper(keys.at("operator")));
    ASSERT_TRUE(release) << explain(release.error());
    manifest = release->manifest();
    for (std::uint64_t i = 0; i < manifest.chunks; ++i) append(bytes, release->media().read_chunk(i)->expose());
    if (GetParam().options.empty()) {
      EXPECT_EQ(bytes, read_file(path(file))) << "the file's own bytes";
    }
  }
  /// The output of a player that receives `medium` through a pipe, for at most `seconds`.
  [[nodiscard]] std::vector<double> decoded(View medium, const std::string& seconds) const {
    write_file(path("piece"), medium);
    // pipe: does not go back, whatever it is.
    const Ran played = run_program({"ffmpeg", "-v", "error", "-i", "pipe:0", "-map", "0:a:0", "-t", seconds, "-f",
                                    "s16le", "-ac", "1", "-ar", std::to_string(kRate), "pipe:1"},
                                   "piece");
    std::vector<double> samples;
    for (std::size_t i = 0; i + 1 < played.out.size(); i += 2) {
      const auto low = static_cast<unsigned char>(played.out[i]);
      const auto high = static_cast<signed char>(played.out[i + 1]);
      samples.push_back(high * 256 + low);
    }
    return samples;
  }

  void check_manifest() const;
  void check_first_seconds() const;
  void check_places() const;

  Manifest manifest;
  Bytes bytes;
};

/// From which second the samples are, by their tone, from a fifth to half a second after their beginning.
double second_of(const std::vector<double>& samples) {
  const std::size_t from = kRate / 5;
  const std::size_t to = kRate / 2;
  if (samples.size() < to) return -1;
  double first = -1;
  double last = -1;
  int crossings = -1;
  for (std::size_t i = from; i + 1 < to; ++i) {
    if (samples[i] >= 0 || samples[i + 1] < 0) continue;
    last = static_cast<double>(i) + samples[i] / (samples[i] - samples[i + 1]);
    if (first < 0) first = last;
    ++crossings;
  }
  if (crossings < 1) return -1;
  const double hertz = crossings * kRate / (last - first);
  return (hertz - kLowest) / kRise - (first + last) / 2 / kRate;
}

/// The first chunks with `media_chunks` of them outside of the structure set: what a listener may have.
View first_chunks(const Manifest& manifest, const Bytes& bytes, std::uint32_t media_chunks) {
  std::uint32_t chunk = 0;
  for (; chunk < manifest.chunks && media_chunks > 0; ++chunk) {
    if (!wire::contains(manifest.structure, chunk)) --media_chunks;
  }
  return View(bytes).first(std::min<std::size_t>(bytes.size(), std::size_t{chunk} * manifest.chunk_size));
}

void PressedForm::check_manifest() const {
  EXPECT_EQ(manifest.media_type, GetParam().type);
  EXPECT_EQ(manifest.kind, GetParam().pictures ? MediaKind::video : MediaKind::audio);
  EXPECT_NEAR(static_cast<double>(manifest.duration_ms), kSeconds * 1000, 1000 * GetParam().tolerance + 60);
  EXPECT_GE(manifest.size * 8 / manifest.duration_ms, GetParam().rate);
  // The nearest power of two to two seconds, within its bounds.
  const std::uint64_t two_seconds = manifest.size * 2000 / manifest.duration_ms;
  EXPECT_TRUE(manifest.chunk_size == 8U << 10 || manifest.chunk_size <= two_seconds * 4 / 3 + 1);
  EXPECT_TRUE(manifest.chunk_size == 256U << 10 || manifest.chunk_size >= two_seconds * 2 / 3);
  EXPECT_LE(wire::count_of(manifest.structure), manifest.chunks / 2);

  std::uint64_t last = 0;
  for (const SeekPoint& point : manifest.seek) {
    EXPECT_GE(point.time_ms, last + 2000);
    last = point.time_ms;
  }
  EXPECT_GE(manifest.seek.size(), 2U);
}

/// The first chunks are enough for their seconds.
void PressedForm::check_first_seconds() const {
  const wire::Extent extent = manifest.extent();
  for (const int seconds : {1, 3, 7}) {
    const View first = first_chunks(manifest, bytes, extent.chunks_for(static_cast<std::uint64_t>(seconds)));
    // The decoder's own delay and the last frame, which is not shown before the next one came.
    const double heard = static_cast<double>(decoded(first, "12").size()) / kRate;
    EXPECT_GE(heard, seconds - 0.1) << extent.chunks_for(static_cast<std::uint64_t>(seconds)) << " chunks";
  }
}

/// A player begins at each place, at its time.
void PressedForm::check_places() const {
  for (const SeekPoint& point : manifest.seek) {
    Bytes piece = to_bytes(View(bytes).first(manifest.head));
    append(piece, View(bytes).subspan(static_cast<std::size_t>(point.offset)));
    const double heard = second_of(decoded(piece, "1"));
    const double wanted = static_cast<double>(point.time_ms) / 1000;
    // With moving pictures a place is a key frame; the sound begins with its next page, a second later at most.
    EXPECT_GT(heard, wanted - GetParam().tolerance) << "place at " << point.time_ms;
    EXPECT_LT(heard, wanted + (GetParam().pictures ? 1.2 : GetParam().tolerance)) << "place at " << point.time_ms;
    if (!GetParam().pictures) continue;
    write_file(path("piece"), piece);
    const Ran looked = run_program({"ffprobe", "-v", "error", "-select_streams", "v", "-read_intervals", "%+#1",
                                    "-show_entries", "packet=flags", "-of", "csv=p=0", "pipe:0"},
                                   "piece");
    EXPECT_TRUE(looked.out.starts_with("K")) << looked.out << looked.err;
  }
}

TEST_P(PressedForm, ManifestSaysTheTruth) {
  make();
  press();
  if (HasFatalFailure()) return;
  check_manifest();
  check_first_seconds();
  check_places();
}

INSTANTIATE_TEST_SUITE_P(Each, PressedForm, testing::ValuesIn(forms()),
                         [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace usher::media
