#include "tags.h"

#include <taglib/fileref.h>
#include <taglib/tag.h>
#include <taglib/tpropertymap.h>

#include "base/encoding.h"
#include "media/manifest.h"

namespace usher::press {
namespace {

std::string text_of(const TagLib::String& text) { return text.to8Bit(true); }

/// Some formats keep a description beside the comment.
std::string description_of(const TagLib::FileRef& file) {
  const TagLib::PropertyMap properties = file.file()->properties();
  const auto found = properties.find("DESCRIPTION");
  if (found != properties.end() && !found->second.isEmpty()) return text_of(found->second.front());
  return text_of(file.tag()->comment());
}

bool starts(View bytes, std::string_view with, std::size_t at = 0) {
  return bytes.size() >= at + with.size() && same(bytes.subspan(at, with.size()), view_of(with));
}

bool holds(View bytes, std::string_view text) { return !std::ranges::search(bytes, view_of(text)).empty(); }

/// The frame header of MPEG audio (11 bits of sync), told from ADTS by its layer bits.
bool is_mpeg_frame(View bytes) {
  return bytes.size() > 2 && bytes[0] == 0xff && (bytes[1] & 0xe0) == 0xe0 && (bytes[1] & 0x06) != 0 &&
         (bytes[2] & 0xf0) != 0xf0;
}

std::string_view type_of(View head) {
  using namespace std::literals;
  if (starts(head, "OggS")) return holds(head, "\x80theora") ? "video/ogg" : "audio/ogg";
  if (starts(head, "fLaC")) return "audio/flac";
  if (starts(head, "RIFF") && starts(head, "WAVE", 8)) return "audio/wav";
  if (starts(head, "FORM") && (starts(head, "AIFF", 8) || starts(head, "AIFC", 8))) return "audio/aiff";
  if (starts(head, "ftypM4A", 4) || starts(head, "ftypM4B", 4)) return "audio/mp4";
  if (starts(head, "ftyp", 4)) return "video/mp4";
  if (starts(head, "\x1a\x45\xdf\xa3"sv)) return holds(head, "webm") ? "video/webm" : "video/x-matroska";
  if (starts(head, "ID3") || is_mpeg_frame(head)) return "audio/mpeg";
  if (head.size() > 1 && head[0] == 0xff && (head[1] & 0xf6) == 0xf0) return "audio/aac";
  return {};
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

Result<std::string> media_type_of(const media::Source& media) {
  Bytes head(512);
  USHER_TRY(const std::size_t got, media.read_at(0, head));
  head.resize(got);
  return std::string(type_of(head));
}

}  // namespace usher::press
