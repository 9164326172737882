#include "common/table.h"

#include <algorithm>

#include "base/display.h"

namespace usher::app {
namespace {

constexpr std::size_t kGap = 2;  // columns between two cells

}  // namespace

std::vector<Table::Shown> Table::natural() const {
  std::vector<Shown> shown;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].head);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i]));
    shown.push_back({i, width});
  }
  return shown;
}

/// Cuts cells until the line fits. False: it does not fit even with every column at its minimum.
bool Table::narrow(std::vector<Shown>& shown, std::size_t width) const {
  std::size_t total = kGap * (shown.size() - 1);
  for (const Shown& one : shown) total += one.width;
  while (total > width) {
    Shown* widest = nullptr;
    for (Shown& one : shown) {
      const std::size_t least = columns_[one.column].least;
      if (least != 0 && one.width > least && (widest == nullptr || one.width > widest->width)) widest = &one;
    }
    if (widest == nullptr) return false;
    --widest->width;
    --total;
  }
  return true;
}

std::string Table::line(const std::vector<Shown>& shown, const std::vector<std::string>& cells,
                        std::size_t width) const {
  std::string out;
  for (const Shown& one : shown) {
    if (!out.empty()) out.append(kGap, ' ');
    std::string text = cell(cells[one.column], one.width);
    if (columns_[one.column].to_the_right) {
      const std::string held = cut(cells[one.column], one.width);
      text = std::string(one.width - std::min(columns_of(held), one.width), ' ') + held;
    }
    out += text;
  }
  while (out.ends_with(' ')) out.pop_back();
  return cut(out, width) + "\n";
}

std::string Table::text(std::size_t width) const {
  std::vector<Shown> shown = natural();
  while (!narrow(shown, width)) {
    const auto first = std::ranges::max_element(shown, {}, [&](const Shown& one) { return columns_[one.column].goes; });
    if (columns_[first->column].goes == 0) break;
    const std::size_t gone = first->column;
    const auto before = shown;
    shown = natural();
    // The remaining columns get their full width back.
    std::erase_if(shown, [&](const Shown& one) {
      return one.column == gone || std::ranges::count(before, one.column, &Shown::column) == 0;
    });
  }
  std::vector<std::string> heads;
  heads.reserve(columns_.size());
  for (const Column& column : columns_) heads.push_back(column.head);
  std::string out = line(shown, heads, width);
  for (const auto& row : rows_) out += line(shown, row, width);
  return out;
}

}  // namespace usher::app
