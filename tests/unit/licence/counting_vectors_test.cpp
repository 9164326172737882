// Counting, held against a second implementation in Python (tests/vectors/licence).  licence.md §5.2, §5.4, §8.3.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "licence/counting.h"

namespace usher::licence {
namespace {

/// As generate.py says.
wire::SecondsTable table_of(const std::string& kind, std::uint64_t media, std::uint64_t duration) {
  wire::SecondsTable table{};
  std::uint64_t last = 0;
  for (std::uint64_t s = 1; s <= wire::kTableSeconds; ++s) {
    std::uint64_t needed = media;
    if (s * 1000 < duration && kind == "even") {
      needed = (s * 1000 * media + duration - 1) / duration;
    } else if (s * 1000 < duration) {
      const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(s * 1000 * 1024 * 1024 / duration)));
      needed = std::max<std::uint64_t>(1, (media * s * 1000 * root + duration * 1024 - 1) / (duration * 1024));
    }
    last = std::max(last, std::min(needed, media));
    table[s - 1] = static_cast<std::uint32_t>(last);
  }
  return table;
}

TEST(CountingVectors, AreWhatThisImplementationComputes) {
  std::ifstream file(USHER_SOURCE_DIR "/tests/vectors/licence/counting.txt");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  ASSERT_EQ(line, "chunks structure duration_ms table commit_after c1 c30 c256 c300 c_last F T_ms R lease");
  int cases = 0;
  while (std::getline(file, line)) {
    SCOPED_TRACE(line);
    std::istringstream in(line);
    std::uint32_t chunks = 0;
    std::uint32_t structure = 0;
    std::int64_t duration = 0;
    std::int64_t after = 0;
    std::string kind;
    in >> chunks >> structure >> duration >> kind >> after;
    Extent extent;
    extent.chunks = chunks;
    extent.duration = Milliseconds(duration);
    if (structure > 0) extent.structure = {{.first = 0, .count = structure}};
    extent.seconds = table_of(kind, chunks - structure, static_cast<std::uint64_t>(duration));
    ASSERT_TRUE(extent.check());
    const FreePart free = free_part(extent, Seconds(after));
    std::ostringstream computed;
    for (const std::uint64_t s : {1U, 30U, 256U, 300U}) computed << ' ' << extent.chunks_for(s);
    computed << ' ' << extent.chunks_for((static_cast<std::uint64_t>(duration) + 999) / 1000) << ' ' << free.chunks
             << ' ' << free.promise.count() << ' ' << repeats_of(extent) << ' ' << lease_of(extent);
    std::string expected;
    std::getline(in, expected);
    EXPECT_EQ(computed.str(), expected);
    ++cases;
  }
  EXPECT_EQ(cases, 156);
}

}  // namespace
}  // namespace usher::licence
