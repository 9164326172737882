// wire/codec: reading and writing of usher's binary structures.  Spec: channel.md §2.
//
// Integers are big endian. A vector is its length in bytes (8, 16, 24 or 32 bits) and then its bytes. Each value
// has one encoding: decode(encode(x)) == x, and encode(decode(b)) == b.
#pragma once

#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::wire {

class Writer {
 public:
  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  /// The bytes without a length: for fields of a fixed size.
  Writer& raw(View bytes);
  /// Length and bytes. Precondition: the length fits the prefix (asserted; a failure is our own bug).
  Writer& vec8(View bytes);
  Writer& vec16(View bytes);
  Writer& vec24(View bytes);
  Writer& vec32(View bytes);
  Writer& text8(std::string_view text) { return vec8(view_of(text)); }
  Writer& text16(std::string_view text) { return vec16(view_of(text)); }

  [[nodiscard]] const Bytes& bytes() const noexcept { return out_; }
  /// What was written; the writer is empty afterwards.
  [[nodiscard]] Bytes take() { return std::exchange(out_, {}); }

 private:
  Writer& number(std::uint64_t value, int size);
  Writer& vec(View bytes, int prefix);
  Bytes out_;
};

/// Reads from a borrowed view. After the first failure all reads return zeros and empty views, and finish() returns the
/// error. So a decoder reads all its fields and checks once. It must not use a value or loop over a count before it has
/// checked ok().
class Reader {
 public:
  /// `where`: a literal, for the error.
  Reader(View in, std::string_view where) : in_(in), where_(where) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  /// u8 that must be 0 or 1.
  bool flag();
  View raw(std::size_t size);
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    const View bytes = raw(N);
    return bytes.size() == N ? array_of<N>(bytes) : std::array<std::uint8_t, N>{};
  }
  /// A vector of min..max bytes. The view borrows from the input.
  View vec8(std::size_t min = 0, std::size_t max = 0xff) { return vec(1, min, max); }
  View vec16(std::size_t min = 0, std::size_t max = 0xffff) { return vec(2, min, max); }
  View vec24(std::size_t min = 0, std::size_t max = 0xffffff) { return vec(3, min, max); }
  View vec32(std::size_t min, std::size_t max) { return vec(4, min, max); }
  /// A vector that is clean UTF-8 (base/encoding.h).
  std::string text8(std::size_t min = 0, std::size_t max = 0xff) { return text(1, min, max); }
  std::string text16(std::size_t min = 0, std::size_t max = 0xffff) { return text(2, min, max); }
  /// All remaining bytes.
  View rest();

  /// Marks the input as malformed, for rules that the caller checks.
  void refuse() noexcept {
    ok_ = false;
    in_ = {};
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool empty() const noexcept { return in_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }
  /// Errors: malformed, if a read failed or bytes are left over.
  [[nodiscard]] Result<> finish() const;

 private:
  std::uint64_t number(std::size_t size);
  View vec(std::size_t prefix, std::size_t min, std::size_t max);
  std::string text(std::size_t prefix, std::size_t min, std::size_t max);

  View in_;
  std::string_view where_;
  bool ok_ = true;
};

}  // namespace usher::wire
