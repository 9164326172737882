#include "base/display.h"

#include <algorithm>

#include <utf8proc.h>

#include "base/encoding.h"

namespace usher {
namespace {

constexpr std::int32_t kNonJoiner = 0x200c;
constexpr std::int32_t kJoiner = 0x200d;
constexpr std::int32_t kEmojiSelector = 0xfe0f;
constexpr std::string_view kEllipsis = "…";

/// Removes one code point from the front of a text and returns it; -1 for a byte that is not valid UTF-8.
std::int32_t take(std::string_view& text, std::size_t& length) noexcept {
  std::int32_t point = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const utf8proc_ssize_t read = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &point);
  length = read > 0 ? static_cast<std::size_t>(read) : 1;
  text.remove_prefix(length);
  return read > 0 ? point : -1;
}

std::size_t width_of(std::int32_t point) noexcept {
  if (point < 0) return 1;
  if (utf8proc_category(point) == UTF8PROC_CATEGORY_CN) return 2;
  return static_cast<std::size_t>(std::max(utf8proc_charwidth(point), 0));
}

/// What a reader sees as one character: a letter with its marks, an emoji of several code points.
struct Cluster {
  std::string_view text;
  std::size_t columns = 0;
};

class Clusters {
 public:
  explicit Clusters(std::string_view text) : left_(text) {}
  [[nodiscard]] bool any() const noexcept { return !left_.empty(); }
  Cluster next() noexcept {
    const char* const begin = left_.data();
    std::size_t size = 0;
    std::size_t columns = 0;
    std::int32_t before = 0;
    while (!left_.empty()) {
      std::string_view rest = left_;
      std::size_t length = 0;
      const std::int32_t point = take(rest, length);
      const bool breaks = point < 0 || before < 0 || utf8proc_grapheme_break_stateful(before, point, &state_) != 0;
      if (size > 0 && breaks) break;
      if (size == 0) state_ = 0;
      // Some terminals show the character before this selector in one column, others in two: count two.
      columns += point == kEmojiSelector && columns == 1 ? 1 : width_of(point);
      size += length;
      left_ = rest;
      before = point;
    }
    return {{begin, size}, columns};
  }

 private:
  std::string_view left_;
  std::int32_t state_ = 0;
};

/// The longest beginning of `text` that fits into `columns`. It splits no cluster.
std::string_view front(std::string_view text, std::size_t columns) noexcept {
  Clusters clusters(text);
  std::size_t bytes = 0;
  while (clusters.any()) {
    const Cluster one = clusters.next();
    if (one.columns > columns) break;
    columns -= one.columns;
    bytes += one.text.size();
  }
  return text.substr(0, bytes);
}

}  // namespace

bool is_hidden_format(std::string_view character) noexcept {
  std::size_t length = 0;
  const std::int32_t point = take(character, length);
  if (point < 0 || point == kJoiner || point == kNonJoiner) return false;
  const utf8proc_category_t category = utf8proc_category(point);
  return category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  for (Clusters clusters(text); clusters.any();) columns += clusters.next().columns;
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (text.size() <= columns || columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out(front(text, columns - 1));
  while (out.ends_with(' ')) out.pop_back();
  return out.append(kEllipsis);
}

std::string cell(std::string_view text, std::size_t columns) {
  std::string out = cut(text, columns);
  const std::size_t taken = columns_of(out);
  if (taken < columns) out.append(columns - taken, ' ');
  return out;
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  if (columns == 0 || text.size() <= columns || columns_of(text) <= columns) return std::string(text);
  const std::string margin(indent * 2 > columns ? 0 : indent, ' ');
  const std::size_t begins = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begins);
  std::string out;
  std::string line(begins * 2 > columns ? 0 : begins, ' ');
  std::size_t taken = line.size();
  bool blank = true;  // the line holds only the margin
  const auto next_line = [&] {
    out += line + "\n";
    line = margin;
    taken = margin.size();
    blank = true;
  };
  while (!text.empty()) {
    const std::size_t gap = std::min(text.find_first_not_of(' '), text.size());
    std::string_view word = text.substr(gap, text.find(' ', gap) - gap);
    text.remove_prefix(gap + word.size());
    if (const std::size_t wanted = columns_of(word); !blank && taken + gap + wanted > columns) {
      next_line();
    } else if (!blank) {
      line.append(gap, ' ');
      taken += gap;
    }
    while (taken + columns_of(word) > columns) {
      std::string_view part = front(word, columns - std::min(taken, columns));
      if (part.empty() && blank && taken == margin.size()) part = word.substr(0, Clusters(word).next().text.size());
      line += part;
      word.remove_prefix(part.size());
      next_line();
    }
    line += word;
    taken += columns_of(word);
    blank = blank && word.empty();
  }
  return out + line;
}

std::string titled(std::string_view title) {
  std::string out = printable(title);
  for (std::string_view rest = title; !rest.empty();) {
    std::size_t length = 0;
    const std::int32_t point = take(rest, length);
    if (point < 0) return out;
    const utf8proc_property_t* const property = utf8proc_get_property(point);
    const bool unseen = property->ignorable != 0 || property->category == UTF8PROC_CATEGORY_ZS ||
                        property->category == UTF8PROC_CATEGORY_ZL || property->category == UTF8PROC_CATEGORY_ZP ||
                        property->category == UTF8PROC_CATEGORY_CC || property->category == UTF8PROC_CATEGORY_CF ||
                        point == 0x2800;  // the Braille pattern without dots
    if (!unseen) return out;
  }
  return "(untitled)";
}

}  // namespace usher
