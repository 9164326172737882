#include "tags.h"

#include <taglib/fileref.h>
#include <taglib/tag.h>
#include <taglib/tpropertymap.h>

#include "base/encoding.h"
#include "media/manifest.h"

namespace usher::press {
namespace {

std::string text_of(const TagLib::String& text) { return text.to8Bit(true); }

/// Some formats have a description in addition to the comment.
std::string description_of(const TagLib::FileRef& file) {
  const TagLib::PropertyMap properties = file.file()->properties();
  const auto found = properties.find("DESCRIPTION");
  if (found != properties.end() && !found->second.isEmpty()) return text_of(found->second.front());
  return text_of(file.tag()->comment());
}

}  // namespace

std::string clean(std::string text, std::size_t max) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  text = printable(text);
  if (text.size() > max) {
    std::size_t end = max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

Tags read_tags(const std::filesystem::path& file) {
  Tags tags;
  const TagLib::FileRef opened(file.c_str());
  if (!opened.isNull() && opened.tag() != nullptr) {
    const TagLib::Tag& tag = *opened.tag();
    tags.title = clean(text_of(tag.title()), media::kMaxName);
    tags.artist = clean(text_of(tag.artist()), media::kMaxName);
    tags.album = clean(text_of(tag.album()), media::kMaxName);
    tags.description = clean(description_of(opened), media::kMaxDescription);
  }
  if (tags.title.empty()) tags.title = clean(file.stem().string(), media::kMaxName);
  return tags;
}

}  // namespace usher::press
