// usher-press/tags: what a media file says of itself.
#pragma once

#include <filesystem>
#include <string>

namespace usher::press {

/// Texts are clean UTF-8 and within the manifest's bounds.
struct Tags {
  std::string title;  // the file's name where it has none
  std::string artist;
  std::string album;
  std::string description;
};
/// What TagLib reads; a file that it does not know has a title only.
[[nodiscard]] Tags read_tags(const std::filesystem::path& file);

/// Line breaks and tabs become spaces, other control characters U+FFFD; cut at a whole character to `max` bytes.
[[nodiscard]] std::string clean(std::string text, std::size_t max);

}  // namespace usher::press
