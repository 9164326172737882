// base/display: measures text on a terminal, and fits it into a width.
// docs/reference/listener.md, "Lists on a terminal".
//
// Widths are those of utf8proc: wide East Asian characters and emoji 2, combining marks 0, everything else 1. A code
// point that utf8proc's Unicode version does not know counts as 2, so that a line is never wider than computed.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace usher {

/// The width of an output that is not a terminal: nothing is cut.
inline constexpr std::size_t kAnyWidth = std::numeric_limits<std::size_t>::max();

/// Whether one character, in UTF-8, is invisible and moves or hides others: controls of the writing direction
/// (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), the other format characters, line and paragraph
/// separators. False for the two joiners (U+200C, U+200D): Persian, Indic scripts and emoji need them.
[[nodiscard]] bool is_hidden_format(std::string_view character) noexcept;

/// The width of `text` in columns. A control character counts as 0, a byte that is not valid UTF-8 as 1.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// `text` if it fits into `columns`; otherwise its beginning and "…", which fit together. Separates no character from
/// its combining marks.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

/// cut(), padded with spaces to `columns`: a cell of a table.
[[nodiscard]] std::string cell(std::string_view text, std::size_t columns);

/// `text` in lines of at most `columns`, broken at spaces. The second and later lines begin with `indent` spaces.
/// Leading spaces are left out if they would take more than half of a line. A word that is too long is broken. No
/// newline at the end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

/// printable(), or "(untitled)" if no character of it would be visible.
[[nodiscard]] std::string titled(std::string_view title);

}  // namespace usher
