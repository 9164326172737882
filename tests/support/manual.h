// support/manual: the tables of keys in docs/reference/ against the settings of a program.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "common/settings.h"

namespace usher::test {

/// The text of a page of docs/reference/.
inline std::string manual_page(const std::string& page) {
  std::ifstream in(std::filesystem::path(USHER_SOURCE_DIR) / "docs" / "reference" / page);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The page has the row of every key, and no other row that begins with a code.
inline void expect_rows_of(const app::Settings& settings, const std::string& page) {
  std::multiset<std::string> wanted;
  std::istringstream rows(settings.table_markdown());
  for (std::string row; std::getline(rows, row);) wanted.insert(row);
  std::multiset<std::string> found;
  std::istringstream lines(manual_page(page));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `") && line.ends_with(" |")) found.insert(line);
  }
  EXPECT_EQ(found, wanted) << "tools/config-table writes the rows";
}

}  // namespace usher::test
