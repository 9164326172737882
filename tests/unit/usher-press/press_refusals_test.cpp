// What the press refuses, by name, and what it does to a file before it is pressed: on files that ffmpeg makes.
#include <boost/json.hpp>

#include "press_fixture.h"

namespace usher::media {
namespace {

using namespace test;

class Prepared : public PressFixture {
 protected:
  /// A file of ffmpeg's, from a tone of so many seconds.
  void make(const std::string& file, const Arguments& arguments, int seconds = 12, int hertz = 440) const {
    Arguments all = {"-f", "lavfi", "-i", "sine=" + std::to_string(hertz) + ":d=" + std::to_string(seconds)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.push_back(file);
    ffmpeg(all);
  }
  void ffmpeg(Arguments arguments) const {
    arguments.insert(arguments.begin(), {"ffmpeg", "-v", "error", "-nostdin", "-y"});
    const Ran made = run_program(std::move(arguments));
    ASSERT_EQ(made.status, 0) << made.err;
  }
  void cut(const std::string& file, double part) const {
    Bytes bytes = read_file(path(file));
    bytes.resize(static_cast<std::size_t>(static_cast<double>(bytes.size()) * part));
    write_file(path(file), bytes);
  }
  void join(const std::string& one, const std::string& other, const std::string& into) const {
    Bytes bytes = read_file(path(one));
    append(bytes, read_file(path(other)));
    write_file(path(into), bytes);
  }
  /// Refused, for the reason that the sentence names.
  void expect_reason(const std::string& file, Fault fault, std::string_view reason, const Arguments& more = {}) const {
    const Ran ran = press_file(file, more);
    expect_refused(ran, fault);
    EXPECT_NE(ran.err.find(file + ", "), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(reason), std::string::npos) << ran.err;
    std::error_code none;
    EXPECT_TRUE(!std::filesystem::exists(path("rel")) || std::filesystem::is_empty(path("rel"), none)) << "written";
  }
  /// Pressed; returns the press's output.
  std::string expect_pressed(const std::string& file, const Arguments& more = {}) const {
    std::filesystem::remove_all(path("rel"));
    const Ran ran = press_file(file, more);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
  [[nodiscard]] Release release(const std::string& stem) const {
    const auto source = open_file(path("rel/" + stem + ".usher"));
    return *Release::open(*source, PrivateKeyUnwrapper(keys.at("operator")));
  }
  [[nodiscard]] static Bytes bytes_of(const Release& release) {
    Bytes all;
    for (std::uint64_t i = 0; i < release.manifest().chunks; ++i) append(all, release.media().read_chunk(i)->expose());
    return all;
  }
  /// Width and height of a picture.
  [[nodiscard]] std::string size_of(const std::string& picture) const {
    return run_program(
               {"ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", picture})
        .out;
  }
  void make_picture(const std::string& file, const std::string& size = "2000x1500") const {
    ffmpeg({"-f", "lavfi", "-i", "testsrc2=s=" + size + ":d=1:r=1", "-frames:v", "1", file});
  }
};

TEST_F(Prepared, Mp4WithItsIndexAtTheEndIsRefusedAndRepacked) {
  make("a.m4a", {"-c:a", "aac"});
  expect_reason("a.m4a", Fault::not_streamable, "its index at the end");
  EXPECT_NE(press_file("a.m4a").err.find("--remux"), std::string::npos);
  EXPECT_NE(expect_pressed("a.m4a", {"--remux"}).find("packed anew"), std::string::npos);
}

TEST_F(Prepared, Mp4WithItsIndexInFrontIsRefused) {
  make("a.m4a", {"-c:a", "aac", "-movflags", "+faststart"});
  expect_reason("a.m4a", Fault::not_streamable, "not fragmented");
}

TEST_F(Prepared, VaryingMp3WithoutAHeaderIsRefusedAndRepacked) {
  // Noise between silences: what a guess by the first frames takes for twelve minutes.
  const Arguments arguments = {"-f",
                               "lavfi",
                               "-i",
                               "aevalsrc=if(lt(mod(t\\,11)\\,1)\\,random(0)\\,0):d=110",
                               "-q:a",
                               "2",
                               "-write_xing",
                               "0",
                               "-id3v2_version",
                               "0",
                               "a.mp3"};
  ffmpeg(arguments);
  expect_reason("a.mp3", Fault::not_streamable, "without a Xing, Info or VBRI header");
  expect_pressed("a.mp3", {"--remux"});
  EXPECT_NEAR(static_cast<double>(release("a").manifest().duration_ms), 110'000, 100);
}

TEST_F(Prepared, ChainedOggIsRefusedAndJoinedWhereOneDecoderReadsAll) {
  make("one.ogg", {"-c:a", "libvorbis", "-serial_offset", "1"}, 20);
  make("two.ogg", {"-c:a", "libvorbis", "-serial_offset", "9"}, 70, 880);
  join("one.ogg", "two.ogg", "a.ogg");
  expect_reason("a.ogg", Fault::not_streamable, "several recordings one after the other");
  expect_pressed("a.ogg", {"--remux"});
  const Release joined = release("a");
  EXPECT_NEAR(static_cast<double>(joined.manifest().duration_ms), 90'000, 100);
  write_file(path("joined.ogg"), bytes_of(joined));
  ffmpeg({"-i", "joined.ogg", "-f", "s16le", "-ac", "1", "-ar", "8000", "pcm"});
  EXPECT_NEAR(static_cast<double>(std::filesystem::file_size(path("pcm"))), 90 * 16'000, 16'000 / 5) << "all of it";
}

TEST_F(Prepared, BallastBeforeTheSoundIsRefusedSinceItWouldUseUpWhatIsFree) {
  make("plain.mp3", {"-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "0", "-write_xing", "0"}, 90);
  constexpr std::size_t kFrame = 3 << 20;
  const auto syncsafe = [](std::size_t n) {
    return Bytes{static_cast<std::uint8_t>(n >> 21 & 0x7f), static_cast<std::uint8_t>(n >> 14 & 0x7f),
                 static_cast<std::uint8_t>(n >> 7 & 0x7f), static_cast<std::uint8_t>(n & 0x7f)};
  };
  Bytes bytes{'I', 'D', '3', 4, 0, 0};
  append(bytes, syncsafe(kFrame + 10));
  append(bytes, view_of("PRIV"));
  append(bytes, syncsafe(kFrame));
  bytes.resize(bytes.size() + 2);
  append(bytes, view_of("owner"));
  bytes.resize(bytes.size() + kFrame - 5);
  append(bytes, read_file(path("plain.mp3")));
  write_file(path("a.mp3"), bytes);
  expect_reason("a.mp3", Fault::not_streamable, "pay before the first sound is heard");
  expect_pressed("plain.mp3");
}

TEST_F(Prepared, ChainedOggOfDifferentEncodingsIsRefusedInAnyCase) {
  make("one.ogg", {"-c:a", "libvorbis", "-q:a", "2", "-serial_offset", "1"});
  make("two.ogg", {"-c:a", "libvorbis", "-q:a", "9", "-serial_offset", "9"});
  make("three.ogg", {"-c:a", "libopus", "-serial_offset", "17"});
  join("one.ogg", "two.ogg", "a.ogg");
  expect_reason("a.ogg", Fault::needs_encoding, "encoded in different ways");
  expect_reason("a.ogg", Fault::needs_encoding, "encoded in different ways", {"--remux"});
  join("one.ogg", "three.ogg", "b.ogg");
  expect_reason("b.ogg", Fault::needs_encoding, "encoded in different ways", {"--remux"});
}

TEST_F(Prepared, FilesThatEndTooEarlyAreRefused) {
  const std::vector<std::pair<std::string, Arguments>> files = {
      {"a.wav", {}},
      {"a.aiff", {}},
      {"a.flac", {}},
      {"a.mp3", {"-q:a", "4"}},
      {"a.ogg", {"-c:a", "libvorbis"}},
      {"a.mka", {"-c:a", "libopus"}},
      {"a.m4a", {"-c:a", "aac", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "2000000"}}};
  for (const auto& [file, arguments] : files) {
    make(file, arguments);
    cut(file, 0.6);
    expect_refused(press_file(file), Fault::truncated);
  }
  make("b.m4a", {"-c:a", "aac"});
  cut("b.m4a", 0.6);
  expect_reason("b.m4a", Fault::unreadable_media, "moov atom not found");
}

TEST_F(Prepared, OggWithAMissingPageIsRefused) {
  make("a.ogg", {"-c:a", "libvorbis"});
  Bytes bytes = read_file(path("a.ogg"));
  bytes.erase(bytes.begin() + 10'000, bytes.begin() + 10'100);
  write_file(path("a.ogg"), bytes);
  expect_reason("a.ogg", Fault::unreadable_media, "a page is missing");
}

TEST_F(Prepared, SeveralRecordingsInOneFileAreRefusedByName) {
  make("a.mka", {"-map", "0", "-map", "0", "-c:a", "libopus"});
  expect_reason("a.mka", Fault::too_many_streams, "another audio stream (opus)");
  EXPECT_NE(expect_pressed("a.mka", {"--remux"}).find("left out another audio stream (opus)"), std::string::npos);
  EXPECT_NEAR(static_cast<double>(release("a").manifest().duration_ms), 12'000, 100);
}

TEST_F(Prepared, SubtitlesAreRefusedByName) {
  write("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nWords\n");
  ffmpeg({"-f", "lavfi", "-i", "sine=d=12", "-i", "a.srt", "-c:a", "libopus", "-c:s", "srt", "a.mkv"});
  expect_reason("a.mkv", Fault::too_many_streams, "a subtitle stream (subrip)");
}

TEST_F(Prepared, OtherFormsAreRefusedByName) {
  make("a.caf", {"-c:a", "pcm_s16le"});
  expect_reason("a.caf", Fault::not_streamable, "the form 'caf'");
  make_picture("a.png");
  expect_reason("a.png", Fault::unreadable_media, "of a kind that usher does not take");
  write("a.txt", "no recording\n");
  expect_reason("a.txt", Fault::unreadable_media, "Invalid data");
  // A playlist would make ffmpeg open what it names.
  make("b.ogg", {"-c:a", "libvorbis"});
  write("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\nb.ogg\n#EXT-X-ENDLIST\n");
  expect_refused(press_file("a.m3u8"), Fault::unreadable_media);
  write("a.ffconcat", "ffconcat version 1.0\nfile b.ogg\n");
  expect_refused(press_file("a.ffconcat"), Fault::unreadable_media);
  write_file(path("empty.ogg"), {});
  expect_refused(press_file("empty.ogg"), Fault::malformed);
}

TEST_F(Prepared, SoundThatIsFollowedByMuchElseIsRefused) {
  make("a.wav", {});
  Bytes bytes = read_file(path("a.wav"));
  append(bytes, concat({view_of("junk"), Bytes{0, 0x20, 0, 0}, Bytes(8192)}));
  write_file(path("a.wav"), bytes);
  expect_reason("a.wav", Fault::not_streamable, "8200 bytes after its sound");
  expect_pressed("a.wav", {"--remux"});
}

TEST_F(Prepared, MissingFfmpegIsToldByName) {
  make("a.ogg", {"-c:a", "libvorbis"});
  const std::filesystem::path old = std::getenv("PATH");
  ::setenv("PATH", directory.path.c_str(), 1);
  const Ran ran = press_file("a.ogg");
  ::setenv("PATH", old.c_str(), 1);
  expect_refused(ran, Fault::ffmpeg_missing);
  EXPECT_NE(ran.err.find("ffprobe"), std::string::npos);
}

TEST_F(Prepared, PicturesAreTakenOutAndTheFirstIsTheCover) {
  make_picture("cover.jpg");
  const Arguments attach = {"-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic"};
  make("a.mp3", {"-q:a", "4"});
  make("a.flac", {});
  for (const std::string kind : {"mp3", "flac"}) {
    Arguments arguments = {"-i", "a." + kind, "-i", "cover.jpg"};
    arguments.insert(arguments.end(), attach.begin(), attach.end());
    arguments.push_back("with." + kind);
    ffmpeg(arguments);
    EXPECT_NE(expect_pressed("with." + kind).find("embedded pictures were taken out"), std::string::npos);
    const Release made = release("with");
    ASSERT_EQ(made.manifest().parts.size(), 1U);
    const auto cover = made.parts().read(0);
    ASSERT_TRUE(cover);
    EXPECT_LE(cover->size(), kMaxCover);
    write_file(path("out.jpg"), cover->expose());
    EXPECT_EQ(size_of("out.jpg"), "mjpeg,1024,768\n");
    const Bytes picture = read_file(path("cover.jpg"));
    const Bytes bytes = bytes_of(made);
    EXPECT_LT(bytes.size(), std::filesystem::file_size(path("a." + kind)) + 4096);
    EXPECT_TRUE(std::ranges::search(bytes, View(picture).first(64)).empty());
  }
}

TEST_F(Prepared, SoundIsTheSameWithoutThePicture) {
  make_picture("cover.png", "300x200");
  make("a.flac", {});
  ffmpeg({"-i", "a.flac", "-i", "cover.png", "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic",
          "b.flac"});
  expect_pressed("b.flac");
  write_file(path("bare.flac"), bytes_of(release("b")));
  for (const std::string name : {"a.flac", "bare.flac"}) ffmpeg({"-i", name, "-f", "s16le", name + ".pcm"});
  EXPECT_EQ(read_file(path("a.flac.pcm")), read_file(path("bare.flac.pcm")));
  const auto cover = release("b").parts().read(0);
  ASSERT_TRUE(cover);
  write_file(path("out.jpg"), cover->expose());
  EXPECT_EQ(size_of("out.jpg"), "mjpeg,300,200\n") << "never larger than it was";
}

TEST_F(Prepared, CoverIsChosenOrLeftOut) {
  make_picture("own.png", "640x480");
  make("a.ogg", {"-c:a", "libvorbis"});
  expect_pressed("a.ogg", {"--cover", "own.png"});
  EXPECT_EQ(release("a").manifest().parts.size(), 1U);
  EXPECT_EQ(bytes_of(release("a")), read_file(path("a.ogg"))) << "the file itself is as it was";
  expect_pressed("a.ogg");
  EXPECT_TRUE(release("a").manifest().parts.empty());
  std::filesystem::remove_all(path("rel"));
  write("own.txt", "no picture\n");
  expect_reason("a.ogg", Fault::unreadable_media, "own.txt", {"--cover", "own.txt"});
  EXPECT_EQ(press_file("a.ogg", {"--cover", "own.png", "--no-cover"}).status, static_cast<int>(ExitClass::usage));
}

TEST_F(Prepared, LargePictureIsMadeSmallEnough) {
  // JPEG compresses noise worst.
  ffmpeg({"-f", "lavfi", "-i", "nullsrc=s=3000x3000:d=1:r=1,geq=random(1)*255:128:128", "-frames:v", "1", "noise.png"});
  make("a.ogg", {"-c:a", "libvorbis"}, 3);
  expect_pressed("a.ogg", {"--cover", "noise.png"});
  const auto parts = release("a").manifest().parts;
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_LE(parts[0].size, kMaxCover);
}

TEST_F(Prepared, HeadersOfManyBytesAreStructure) {
  make("a.flac", {}, 12);
  Bytes bytes = read_file(path("a.flac"));
  // A block of padding of 100,000 bytes after STREAMINFO.
  const Bytes padding = concat({Bytes{0x01, 0x01, 0x86, 0xa0}, Bytes(100'000)});
  bytes.insert(bytes.begin() + 42, padding.begin(), padding.end());
  write_file(path("a.flac"), bytes);
  expect_pressed("a.flac", {"--chunk-size", "8KiB"});
  const Manifest manifest = release("a").manifest();
  ASSERT_EQ(manifest.structure.size(), 1U);
  EXPECT_EQ(manifest.structure[0].first, 0U);
  EXPECT_GE(manifest.structure[0].count, 12U);
  EXPECT_GT(manifest.head, 100'000U);
  EXPECT_LE(manifest.seconds[0], manifest.extent().media_chunks() / 8) << "the first second needs no padding";
}

TEST_F(Prepared, VorbisOfManyShortBlocksIsNoClockThatJumps) {
  // ffprobe's lengths of such packets are several per cent too short when they are added up.
  ffmpeg({"-f", "lavfi", "-i", "aevalsrc=(random(0)-0.5)*lt(mod(t\\,0.1)\\,0.01):s=48000:d=60", "-c:a", "libvorbis",
          "a.ogg"});
  expect_pressed("a.ogg");
  EXPECT_NEAR(static_cast<double>(release("a").manifest().duration_ms), 60'000, 100);
}

TEST_F(Prepared, DurationIsStatedOnlyWhereItIsNeeded) {
  make("a.ogg", {"-c:a", "libvorbis"});
  EXPECT_NE(expect_pressed("a.ogg", {"--duration", "99"}).find("--duration was not needed"), std::string::npos);
  EXPECT_NEAR(static_cast<double>(release("a").manifest().duration_ms), 12'000, 100);
  EXPECT_EQ(press_file("a.ogg", {"--duration", "-1"}).status, static_cast<int>(ExitClass::usage));
}

TEST_F(Prepared, UnknownDurationIsRefusedUnlessItIsStated) {
  // Ten seconds of pictures; the time stamp of each is 0:00.
  ffmpeg({"-f", "lavfi", "-i", "testsrc=d=10:s=64x48", "-c:v", "libvpx", "-bsf:v", "setts=pts=0:dts=0:duration=0",
          "a.webm"});
  expect_refused(press_file("a.webm"), Fault::unknown_duration);
  expect_pressed("a.webm", {"--duration", "10"});
  const Release pressed = release("a");
  const Manifest& manifest = pressed.manifest();
  EXPECT_EQ(manifest.duration_ms, 10'000U);
  EXPECT_EQ(manifest.extent().chunks_for(10), manifest.extent().media_chunks());
  EXPECT_NEAR(manifest.extent().chunks_for(5), manifest.extent().media_chunks() / 2.0, 1) << "all seconds are alike";
}

}  // namespace
}  // namespace usher::media
