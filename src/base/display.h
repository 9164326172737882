// base/display: how much room text takes on a terminal, and how it is made to fit.  docs/listening.md, "On a terminal".
//
// Widths are utf8proc's: wide East Asian characters and emoji 2, combining marks 0, everything else 1. What a later
// Unicode has is counted as 2, so that a line is never wider than it was taken for.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace usher {

/// Columns where there is no terminal: nothing is cut.
inline constexpr std::size_t kAnyWidth = std::numeric_limits<std::size_t>::max();

/// Whether one character, in UTF-8, moves or hides others without being seen: controls of the writing direction
/// (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), the other format characters, separators of lines. The
/// two joiners (U+200C, U+200D), which Persian, Indic scripts and emoji are written with, are not among them.
[[nodiscard]] bool is_hidden_format(std::string_view character) noexcept;

/// Columns that `text` takes; control characters count as 0, what is no UTF-8 as 1 a byte.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// `text`, or as much of it as fits into `columns` with "…" behind it. Parts no character from its combining marks.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

/// cut(), filled up with blanks to `columns`: a cell of a table.
[[nodiscard]] std::string cell(std::string_view text, std::size_t columns);

/// `text` in lines of at most `columns`, broken at blanks; the second and later ones begin with `indent` blanks. Blanks at
/// a beginning are left out where they would take more than half of the line. A word that is too long is broken. No
/// newline at the end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

/// printable(), or "(untitled)" where nothing of it would be seen.
[[nodiscard]] std::string titled(std::string_view title);

}  // namespace usher
