// MP4 and QuickTime (ISO/IEC 14496-12): boxes, each with its size and its type.
#include "form.h"
#include "wire/codec.h"

namespace usher::press {
namespace {

constexpr std::uint32_t type_of(const char (&name)[5]) {
  std::uint32_t type = 0;
  for (int i = 0; i < 4; ++i) type = type << 8 | static_cast<std::uint8_t>(name[i]);
  return type;
}

struct Box {
  std::uint32_t type = 0;  // its four letters as a big-endian number
  std::uint64_t size = 0;  // bytes, header included
};

Result<Box> box_at(const MediaFile& file, std::uint64_t at) {
  USHER_TRY(const Bytes bytes, file.bytes_at(at, 16));
  if (bytes.size() < 8) return fail(Fault::truncated, "form: MP4 box");
  wire::Reader in(bytes, "form: MP4 box");
  Box box;
  box.size = in.u32();
  box.type = in.u32();
  std::uint64_t least = 8;
  if (box.size == 1) {
    box.size = in.u64();
    least = 16;
  } else if (box.size == 0) {
    box.size = file.size() - at;  // up to the end of the file
  }
  if (!in.ok() || box.size < least) return fail(Fault::unreadable_media, "form: MP4 box");
  if (box.size > file.size() - at) return fail(Fault::truncated, "form: MP4 box");
  return box;
}

}  // namespace

Result<Form> mp4_form(const MediaFile& file) {
  Form form;
  bool media = false;  // an mdat was found
  bool media_before_index = false;
  bool media_before_fragment = false;
  for (std::uint64_t at = 0; at < file.size();) {
    USHER_TRY(const Box box, box_at(file, at));
    if (box.type == type_of("mdat")) media = true;
    if (box.type == type_of("moov")) {
      media_before_index = media;
      form.head = at + box.size;
    }
    if (box.type == type_of("moof")) {
      media_before_fragment = media_before_fragment || (media && form.units.empty());
      if (!form.units.empty()) form.units.back().end = at;
      form.units.push_back({.begin = at, .end = file.size()});
    }
    at += box.size;
  }
  if (!form.head) return fail(Fault::truncated, "form: MP4 index");
  if (media_before_index) {
    form.obstacle = "an MP4 file with its index at the end";
  } else if (form.units.empty() || media_before_fragment) {
    form.obstacle = "an MP4 file that is not fragmented, which cannot be entered in its middle";
  }
  return form;
}

}  // namespace usher::press
