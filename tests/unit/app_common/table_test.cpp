#include <gtest/gtest.h>

#include "base/display.h"
#include "common/table.h"

namespace usher::app {
namespace {

Table table() {
  Table out({{.head = "medium", .least = 9},
             {.head = "bytes", .goes = 1, .to_the_right = true},
             {.head = "title", .least = 12}});
  out.add({"0123456789abcdef0123456789abcdef", "5", "A title of its own"});
  out.add({"fedcba98765432100123456789abcdef", "12345678", "東京の夜に聞こえる遠い電車の音"});
  return out;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    out.push_back(text.substr(at, text.find('\n', at) - at));
  return out;
}

TEST(Table, IsWholeWhereThereIsNoTerminal) {
  EXPECT_EQ(table().text(kAnyWidth),
            "medium                               bytes  title\n"
            "0123456789abcdef0123456789abcdef         5  A title of its own\n"
            "fedcba98765432100123456789abcdef  12345678  東京の夜に聞こえる遠い電車の音\n");
}

TEST(Table, EveryLineFits) {
  for (std::size_t width = 1; width < 100; ++width) {
    for (const std::string& line : lines(table().text(width))) EXPECT_LE(columns_of(line), width) << line;
  }
}

TEST(Table, CellsAreCutBeforeAColumnGoes) {
  EXPECT_EQ(table().text(40),
            "medium             bytes  title\n"
            "0123456789abc…         5  A title of it…\n"
            "fedcba9876543…  12345678  東京の夜に聞…\n");
  EXPECT_EQ(table().text(23),
            "medium     title\n"
            "01234567…  A title of…\n"
            "fedcba98…  東京の夜に…\n");
}

TEST(Table, NoRowsLeaveTheHead) {
  EXPECT_EQ(Table({{.head = "medium"}, {.head = "title"}}).text(80), "medium  title\n");
}

}  // namespace
}  // namespace usher::app
