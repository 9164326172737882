#include "wire/codec.h"

#include "base/encoding.h"
#include "base/must.h"

namespace usher::wire {

Writer& Writer::number(std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

Writer& Writer::u8(std::uint8_t value) { return number(value, 1); }
Writer& Writer::u16(std::uint16_t value) { return number(value, 2); }
Writer& Writer::u32(std::uint32_t value) { return number(value, 4); }
Writer& Writer::u64(std::uint64_t value) { return number(value, 8); }

Writer& Writer::raw(View bytes) {
  append(out_, bytes);
  return *this;
}

Writer& Writer::vec(View bytes, int prefix) {
  must(bytes.size() < (std::uint64_t{1} << (8 * prefix)));
  return number(bytes.size(), prefix).raw(bytes);
}

Writer& Writer::vec8(View bytes) { return vec(bytes, 1); }
Writer& Writer::vec16(View bytes) { return vec(bytes, 2); }
Writer& Writer::vec24(View bytes) { return vec(bytes, 3); }
Writer& Writer::vec32(View bytes) { return vec(bytes, 4); }

std::uint64_t Reader::number(std::size_t size) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : raw(size)) value = (value << 8) | byte;
  return value;
}

bool Reader::flag() {
  const std::uint8_t value = u8();
  if (value > 1) refuse();
  return value == 1;
}

View Reader::raw(std::size_t size) {
  if (!ok_ || size > in_.size()) {
    refuse();
    return {};
  }
  const View bytes = in_.first(size);
  in_ = in_.subspan(size);
  return bytes;
}

View Reader::vec(std::size_t prefix, std::size_t min, std::size_t max) {
  const std::uint64_t size = number(prefix);
  if (!ok_ || size < min || size > max || size > in_.size()) {
    refuse();
    return {};
  }
  return raw(static_cast<std::size_t>(size));
}

std::string Reader::text(std::size_t prefix, std::size_t min, std::size_t max) {
  const std::string_view found = text_of(vec(prefix, min, max));
  if (!is_clean_utf8(found)) {
    refuse();
    return {};
  }
  return std::string(found);
}

View Reader::rest() { return raw(in_.size()); }

Result<> Reader::finish() const {
  if (!ok_ || !in_.empty()) return fail(Fault::malformed, where_);
  return {};
}

}  // namespace usher::wire
