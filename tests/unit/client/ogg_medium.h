// A Vorbis file with the seek index that the press would write of it.
#pragma once

#include "medium.h"

namespace usher::test {

inline std::uint64_t little_endian(View bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = out << 8 | bytes[i];
  return out;
}

inline TestMedium ogg_medium(const std::string& path, std::uint64_t duration_ms) {
  TestMedium medium(file_bytes(path), 65'536, duration_ms);
  const View all = medium.bytes;
  const std::uint64_t rate = little_endian(all.subspan(28 + 12, 4));  // of the first header
  std::uint64_t time = 0;                                             // milliseconds, where the page begins
  for (std::size_t at = 0; at + 27 < all.size();) {
    const std::size_t segments = all[at + 26];
    std::size_t size = 27 + segments;
    for (std::size_t i = 0; i < segments; ++i) size += all[at + 27 + i];
    const std::uint64_t position = little_endian(all.subspan(at + 6, 8));
    const bool continued = (all[at + 5] & 1) != 0;
    if (position == 0) {
      medium.manifest.head = static_cast<std::uint32_t>(at + size);
    } else if (!continued && at > medium.manifest.head &&
               time >= (medium.manifest.seek.empty() ? 0 : medium.manifest.seek.back().time_ms) + 2'000) {
      medium.manifest.seek.push_back({.time_ms = time, .offset = at});
    }
    if (position != ~std::uint64_t{0}) time = position * 1'000 / rate;
    at += size;
  }
  return medium;
}

}  // namespace usher::test
