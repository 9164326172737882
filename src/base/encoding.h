// base/encoding: hexadecimal, base64url (RFC 4648 §5, no padding), lower case, checks of UTF-8 text. Decoders are
// strict: each value has one text, except that hexadecimal may be upper case.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace usher {

/// Lower case, two characters per byte.
[[nodiscard]] std::string to_hex(View bytes);
/// Errors: malformed (odd length, another character). Accepts upper case.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

[[nodiscard]] std::string to_base64url(View bytes);
/// Errors: malformed (another character, padding, a length of 4n+1, unused bits that are not zero).
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);

/// A to Z become a to z; every other byte stays.
[[nodiscard]] std::string lower_ascii(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no overlong form, no surrogate) without control characters (C0, DEL, C1).
[[nodiscard]] bool is_clean_utf8(std::string_view text) noexcept;

/// `text`, safe to print on a terminal: everything that is_clean_utf8 forbids is replaced by U+FFFD, and so is every
/// format character that would move others (is_hidden_format in display.h).
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace usher
