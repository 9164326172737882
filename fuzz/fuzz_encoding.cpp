// Hexadecimal, base64url and clean text take any bytes.
// Links: base
#include "base/encoding.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  fuzz::must(from_hex(to_hex(bytes)).value() == to_bytes(bytes));
  fuzz::must(from_base64url(to_base64url(bytes)).value() == to_bytes(bytes));
  const std::string_view text = text_of(bytes);
  if (const auto decoded = from_base64url(text)) fuzz::must(to_base64url(*decoded) == text);
  fuzz::must(is_clean_utf8(printable(text)));
  if (is_clean_utf8(text)) fuzz::must(printable(text) == text);
  return 0;
}
