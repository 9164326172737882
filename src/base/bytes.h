// base/bytes: the byte types that every layer shares.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace usher {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;   // borrowed, read only
using MutableView = std::span<std::uint8_t>;  // borrowed, to be filled

using Id128 = std::array<std::uint8_t, 16>;    // sessions, operations, licences, plays, objects
using Hash256 = std::array<std::uint8_t, 32>;  // SHA-256 values

/// The characters of `text` as bytes. The view borrows.
[[nodiscard]] inline View view_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The bytes as characters, unchecked (they need not be UTF-8). The view borrows.
[[nodiscard]] inline std::string_view text_of(View bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(View bytes) { return {bytes.begin(), bytes.end()}; }

inline void append(Bytes& out, View more) { out.insert(out.end(), more.begin(), more.end()); }

[[nodiscard]] inline Bytes concat(std::initializer_list<View> parts) {
  Bytes out;
  std::size_t size = 0;
  for (const View part : parts) size += part.size();
  out.reserve(size);
  for (const View part : parts) append(out, part);
  return out;
}

/// Whether two public values are equal. Never for secrets: use crypto::equal_constant_time (crypto/secret.h).
[[nodiscard]] inline bool same(View a, View b) noexcept { return std::ranges::equal(a, b); }

/// The first N bytes as an array. Precondition: bytes.size() >= N.
template <std::size_t N>
[[nodiscard]] std::array<std::uint8_t, N> array_of(View bytes) {
  std::array<std::uint8_t, N> out{};
  std::copy_n(bytes.begin(), N, out.begin());
  return out;
}

}  // namespace usher
