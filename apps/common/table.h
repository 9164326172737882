// apps/common/table: tables for people, fitted to the terminal's width.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace usher::app {

struct Column {
  std::string head;
  std::size_t least = 0;      // columns that its cells may be cut to; 0: never cut
  int goes = 0;               // where the table is too wide, the highest is left out first; 0: never
  bool to_the_right = false;  // for numbers
};

/// Rows under a header. If the terminal is too narrow, cells are cut, the widest columns first; then whole columns are
/// left out; finally lines are cut.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell for each column, printable.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// The header and the rows; each line ends with a line feed. `width`: columns, or kAnyWidth.
  [[nodiscard]] std::string text(std::size_t width) const;

 private:
  struct Shown {
    std::size_t column;
    std::size_t width;
  };
  [[nodiscard]] std::vector<Shown> natural() const;
  [[nodiscard]] bool narrow(std::vector<Shown>& shown, std::size_t width) const;
  [[nodiscard]] std::string line(const std::vector<Shown>& shown, const std::vector<std::string>& cells,
                                 std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace usher::app
