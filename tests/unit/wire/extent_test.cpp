#include "wire/extent.h"

#include <rapidcheck/gtest.h>

namespace usher::wire {
namespace {

/// 100 chunks, the first and the last two of structure, over 485 s.
Extent good() {
  Extent extent{.chunks = 100, .duration = Milliseconds(485'000), .structure = {{0, 1}, {98, 2}}, .seconds = {}};
  extent.seconds = even_seconds(97, extent.duration);
  return extent;
}

void expect_refused(const Extent& extent, std::string_view field) {
  const auto checked = extent.check();
  ASSERT_FALSE(checked) << field;
  EXPECT_EQ(checked.error().fault, Fault::malformed);
  EXPECT_NE(checked.error().about.find(field), std::string::npos) << checked.error().about;
}

TEST(ChunkRanges, OfChunksAndBack) {
  const ChunkRanges ranges = ranges_of({0, 1, 2, 7, 9, 10});
  EXPECT_EQ(ranges, (ChunkRanges{{0, 3}, {7, 1}, {9, 2}}));
  EXPECT_EQ(count_of(ranges), 6U);
  for (const std::uint32_t chunk : {0U, 2U, 7U, 10U}) EXPECT_TRUE(contains(ranges, chunk)) << chunk;
  for (const std::uint32_t chunk : {3U, 6U, 8U, 11U, ~0U}) EXPECT_FALSE(contains(ranges, chunk)) << chunk;
  EXPECT_TRUE(ranges_of({}).empty());
}

TEST(ChunkRanges, ReachUpToTheLastNumber) {
  EXPECT_TRUE(contains({{0xffff'fffe, 2}}, 0xffff'ffff));
  EXPECT_FALSE(contains({{0xffff'fffe, 2}}, 0));
}

TEST(ChunkRanges, DecodeWhatIsAscendingAndApart) {
  const ChunkRanges ranges{{0, 1}, {2, 5}, {0xffff'ffff, 1}};
  EXPECT_EQ(decode_ranges(encode_ranges(ranges), 3), ranges);
  EXPECT_FALSE(decode_ranges(encode_ranges(ranges), 2));
  for (const ChunkRanges& bad : {ChunkRanges{{0, 0}}, {{0, 2}, {2, 1}}, {{5, 1}, {0, 1}}, {{0, 1}, {0, 1}}}) {
    const auto decoded = decode_ranges(encode_ranges(bad), 64);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().fault, Fault::malformed);
  }
  EXPECT_FALSE(decode_ranges(Bytes(7), 64));
}

TEST(Extent, CountsWhatIsOutsideOfTheStructure) {
  EXPECT_TRUE(good().check());
  EXPECT_EQ(good().media_chunks(), 97U);
}

TEST(Extent, TableThenEvenlyThenAll) {
  const Extent extent = good();
  EXPECT_EQ(extent.chunks_for(0), 0U);
  EXPECT_EQ(extent.chunks_for(1), 1U);
  EXPECT_EQ(extent.chunks_for(256), extent.seconds.back());
  const std::uint64_t known = extent.seconds.back();
  // §2.5: rounded up.
  for (const std::uint64_t s : {257U, 300U, 484U}) {
    const std::uint64_t above = (1000 * s - 256'000) * (97 - known);
    EXPECT_EQ(extent.chunks_for(s), known + (above + 228'999) / 229'000) << s;
  }
  EXPECT_EQ(extent.chunks_for(485), 97U);
  EXPECT_EQ(extent.chunks_for(486), 97U);
  EXPECT_EQ(extent.chunks_for(~std::uint64_t{0}), 97U);
}

TEST(Extent, LastBrokenSecondNeedsAll) {
  Extent extent = good();
  extent.duration = Milliseconds(10'500);
  extent.seconds = even_seconds(97, extent.duration);
  EXPECT_TRUE(extent.check());
  EXPECT_LT(extent.chunks_for(10), 97U);
  EXPECT_EQ(extent.chunks_for(11), 97U);
}

TEST(Extent, DurationsOutOfBoundsAreRefused) {
  for (const std::int64_t duration : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 53}) {
    Extent extent = good();
    extent.duration = Milliseconds(duration);
    expect_refused(extent, "duration");
  }
}

TEST(Extent, StructureOutOfBoundsIsRefused) {
  for (const ChunkRanges& structure :
       {ChunkRanges{{0, 0}}, {{0, 100}}, {{99, 2}}, {{0, 1}, {1, 1}}, {{5, 1}, {0, 1}}, {{0xffff'ffff, 0xffff'ffff}}}) {
    Extent extent = good();
    extent.structure = structure;
    expect_refused(extent, "structure");
  }
  Extent extent{.chunks = 1000, .duration = Milliseconds(1000), .structure = {}, .seconds = {}};
  for (std::uint32_t i = 0; i <= kMaxStructureRanges; ++i) extent.structure.push_back({.first = 3 * i, .count = 1});
  extent.seconds = even_seconds(extent.media_chunks(), extent.duration);
  expect_refused(extent, "structure");
  extent.structure.pop_back();
  extent.seconds = even_seconds(extent.media_chunks(), extent.duration);
  EXPECT_TRUE(extent.check());
}

TEST(Extent, TablesThatDoNotRiseOrDoNotEndAreRefused) {
  const auto refused = [](auto change) {
    Extent extent = good();
    change(extent);
    expect_refused(extent, "table of seconds");
  };
  refused([](Extent& e) { e.seconds[0] = 0; });
  refused([](Extent& e) { e.seconds[9] = e.seconds[8] - 1; });
  refused([](Extent& e) { e.seconds[255] = 98; });
  refused([](Extent& e) { e.duration = Milliseconds(200'000); });  // the table is not full at its end
  refused([](Extent& e) {
    e.chunks = 1 << 24;
    e.seconds.fill(1 << 17);  // more in one second than 16 bits hold
  });
}

TEST(SecondsTable, IsItsSteps) {
  SecondsTable table{};
  table.fill(70'000);
  table[0] = 5'000;
  table[1] = 65'535;
  const Bytes bytes = encode_seconds(table);
  ASSERT_EQ(bytes.size(), 2 * kTableSeconds);
  EXPECT_EQ(to_bytes(View(bytes).first(6)), (Bytes{0x13, 0x88, 0xec, 0x77, 0x11, 0x71}));
  EXPECT_EQ(decode_seconds(bytes), table);
  EXPECT_FALSE(decode_seconds(View(bytes).first(511)));
  EXPECT_FALSE(decode_seconds(Bytes(513)));
}

RC_GTEST_PROP(Extent, EvenOnesAreAlwaysGoodAndRise, ()) {
  const auto chunks = *rc::gen::inRange<std::uint32_t>(1, 1 << 24);
  const auto duration = *rc::gen::inRange<std::int64_t>(1, 100'000'000);
  Extent extent{.chunks = chunks, .duration = Milliseconds(duration), .structure = {}, .seconds = {}};
  extent.seconds = even_seconds(chunks, extent.duration);
  // A medium with more chunks in a second than 16 bits hold does not occur in practice.
  RC_PRE(std::uint64_t{chunks} * 1000 / static_cast<std::uint64_t>(duration) < 65'000);
  RC_PRE(chunks < 65'536 || duration >= 1000);
  RC_ASSERT(extent.check().has_value());
  std::uint32_t last = 0;
  for (std::uint64_t s = 0; s < 2000; s += 7) {
    const std::uint32_t needed = extent.chunks_for(s);
    RC_ASSERT(needed >= last && needed <= chunks);
    last = needed;
  }
  RC_ASSERT(extent.chunks_for(static_cast<std::uint64_t>(duration) / 1000 + 1) == chunks);
  const auto again = decode_seconds(encode_seconds(extent.seconds));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == extent.seconds);
}

}  // namespace
}  // namespace usher::wire
