#include "client/seek.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "medium.h"

namespace usher::client {
namespace {

constexpr const char* kTrack = "/usr/share/games/singularity/music/Awakening.ogg";

ReadAt reader(const Bytes& bytes, std::size_t* read = nullptr) {
  return [&bytes, read](std::uint64_t offset, std::size_t size) -> Result<crypto::Secret> {
    const std::size_t from = std::min<std::size_t>(bytes.size(), offset);
    const View part = View(bytes).subspan(from, std::min(size, bytes.size() - from));
    if (read != nullptr) *read += part.size();
    return crypto::Secret::copy_of(part);
  };
}

media::Manifest manifest_of(const Bytes& bytes, std::uint64_t duration_ms, std::string type = "audio/ogg") {
  media::Manifest manifest;
  manifest.size = bytes.size();
  manifest.duration_ms = duration_ms;
  manifest.media_type = std::move(type);
  return manifest;
}

class SeekInOgg : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kTrack)) GTEST_SKIP() << "singularity-music is not installed";
    bytes = test::file_bytes(kTrack);
  }
  Bytes bytes;
};

TEST_F(SeekInOgg, EndsAtAPageNearTheTime) {
  const auto manifest = manifest_of(bytes, 208'500);
  for (const std::uint64_t target : {10'000U, 60'000U, 107'000U, 200'000U}) {
    const auto start = find_start(manifest, reader(bytes), target);
    ASSERT_TRUE(start.has_value()) << target;
    EXPECT_LE(std::abs(static_cast<double>(start->time_ms) - static_cast<double>(target)), 4'000) << target;
    EXPECT_EQ(text_of(View(bytes).subspan(static_cast<std::size_t>(start->offset), 4)), "OggS");
    EXPECT_EQ(text_of(View(bytes).subspan(static_cast<std::size_t>(start->head), 4)), "OggS");
    EXPECT_GT(start->offset, start->head);
  }
}

TEST_F(SeekInOgg, ReadsLittleOfTheMedium) {
  std::size_t read = 0;
  ASSERT_TRUE(find_start(manifest_of(bytes, 208'500), reader(bytes, &read), 100'000).has_value());
  EXPECT_LT(read, bytes.size() / 2);
}

TEST_F(SeekInOgg, AWrongDurationOnlyCostsPrecision) {
  for (const std::uint64_t duration : {20'000U, 2'000'000U}) {
    const auto start = find_start(manifest_of(bytes, duration), reader(bytes), duration / 2);
    ASSERT_TRUE(start.has_value());
    EXPECT_LE(start->offset, bytes.size());
  }
}

TEST_F(SeekInOgg, ADamagedHeaderIsUnsupported) {
  bytes[60] ^= 1;  // the first page's checksum does not hold
  EXPECT_EQ(find_start(manifest_of(bytes, 208'500), reader(bytes), 100'000).error().fault, Fault::unsupported);
}

TEST(Seek, TheBeginningIsTheBeginningOfEverything) {
  const Bytes bytes{1, 2, 3};
  const auto start = find_start(manifest_of(bytes, 0), reader(bytes), 0);
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->offset, 0U);
  EXPECT_EQ(start->head, 0U);
}

TEST(Seek, OtherFormsAreUnsupported) {
  const Bytes bytes = test::pattern(100'000);
  EXPECT_EQ(find_start(manifest_of(bytes, 60'000, "audio/wav"), reader(bytes), 30'000).error().fault,
            Fault::unsupported);
  EXPECT_EQ(find_start(manifest_of(bytes, 0), reader(bytes), 30'000).error().fault, Fault::unsupported);
}

TEST(Seek, AnMpegFileIsEnteredAtAFrame) {
  // Frames of MPEG 1 layer III, 128 kbit/s, 44,100 Hz: 417 bytes.
  Bytes bytes;
  for (int i = 0; i < 200; ++i) {
    Bytes frame(417, 0x55);
    frame[0] = 0xff;
    frame[1] = 0xfb;
    frame[2] = 0x90;
    frame[3] = 0x00;
    append(bytes, frame);
  }
  const auto start = find_start(manifest_of(bytes, 5'000, "audio/mpeg"), reader(bytes), 2'500);
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->offset % 417, 0U);
  EXPECT_NEAR(static_cast<double>(start->offset), static_cast<double>(bytes.size()) / 2, 417);
  EXPECT_EQ(start->head, 0U);
}

}  // namespace
}  // namespace usher::client
