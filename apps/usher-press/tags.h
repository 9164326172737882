// usher-press/tags: reads the tags of a media file.
#pragma once

#include <filesystem>
#include <string>

namespace usher::press {

/// Texts are valid UTF-8 without control characters, within the manifest's limits.
struct Tags {
  std::string title;  // the file's name if it has no title
  std::string artist;
  std::string album;
  std::string description;
};
/// TagLib reads the tags; a file that TagLib does not know gets a title only.
[[nodiscard]] Tags read_tags(const std::filesystem::path& file);

/// Line breaks and tabs become spaces, other control characters U+FFFD; cut at a whole character to `max` bytes.
[[nodiscard]] std::string clean(std::string text, std::size_t max);

}  // namespace usher::press
