#include "form.h"

#include "wire/codec.h"

namespace usher::press {
namespace {

constexpr std::size_t kMaxAfterSound = 4096;  // bytes; a player that began later may play them, as a click

Form unplayable(std::string obstacle) {
  Form form;
  form.obstacle = std::move(obstacle);
  return form;
}

std::uint32_t little_endian(View bytes) {
  return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16) | static_cast<std::uint32_t>(bytes[3])
                                                                                     << 24;
}

/// A file whose sound begins at `begin` and is `size` bytes long.
Result<Form> sound_form(const MediaFile& file, std::uint64_t begin, std::uint64_t size, const std::string& name) {
  if (begin > file.size() || size > file.size() - begin) return fail(Fault::truncated, "form: sound");
  const std::uint64_t after = file.size() - begin - size;
  if (after > kMaxAfterSound) {
    Form form =
        unplayable(name + " with " + std::to_string(after) + " bytes after its sound, which could be heard as noise");
    form.only_a_tail = true;
    return form;
  }
  Form form;
  form.head = begin;
  return form;
}

}  // namespace

Result<Form> wav_form(const MediaFile& file) {
  constexpr std::uint32_t kUnknown = 0xffff'ffff;  // written by programs that do not know the size
  std::uint64_t long_size = 0;                     // for RF64
  for (std::uint64_t at = 12; at + 8 <= file.size();) {
    USHER_TRY(const Bytes head, file.bytes_at(at, 8 + 16));
    if (head.size() < 8) break;  // the file was truncated after it was opened
    const std::string_view name = text_of(View(head).first(4));
    const std::uint32_t size = little_endian(View(head).subspan(4, 4));
    if (name == "ds64" && head.size() == 24) {
      long_size = little_endian(View(head).subspan(16, 4)) | std::uint64_t{little_endian(View(head).subspan(20, 4))}
                                                                 << 32;
    }
    at += 8;
    if (name == "data") {
      const std::uint64_t stated = size == kUnknown ? long_size : size;
      return sound_form(file, at, stated == 0 ? file.size() - at : stated, "a WAV file");
    }
    at += std::uint64_t{size} + size % 2;
  }
  return fail(Fault::truncated, "form: WAV");
}

Result<Form> aiff_form(const MediaFile& file) {
  bool described = false;
  for (std::uint64_t at = 12; at + 8 <= file.size();) {
    USHER_TRY(const Bytes head, file.bytes_at(at, 16));
    wire::Reader in(head, "form: AIFF");
    const std::string_view name = text_of(in.raw(4));
    const std::uint32_t size = in.u32();
    if (name == "COMM") described = true;
    if (name == "SSND") {
      if (!described) return unplayable("an AIFF file that describes the format of its sound only after the sound");
      const std::uint32_t offset = in.u32();
      if (head.size() < 16 || size < 8 || offset > size - 8) return fail(Fault::unreadable_media, "form: AIFF");
      return sound_form(file, at + 16 + offset, size - 8 - offset, "an AIFF file");
    }
    at += 8 + std::uint64_t{size} + size % 2;
  }
  return fail(Fault::truncated, "form: AIFF");
}

Result<bool> has_mp3_header(const MediaFile& file) {
  USHER_TRY(const Bytes tag, file.bytes_at(0, 10));
  std::uint64_t first = 0;
  if (tag.size() == 10 && text_of(View(tag).first(3)) == "ID3") {
    // The size is four groups of seven bits, without the tag's own header.
    for (std::size_t i = 6; i < 10; ++i) first = first << 7 | (tag[i] & 0x7fU);
    first += 10;
  }
  constexpr std::size_t kSearched = 4096;  // bytes; padding and the frame's side information come first
  USHER_TRY(const Bytes frame, file.bytes_at(first, kSearched));
  const auto holds = [&frame](std::string_view name) { return !std::ranges::search(frame, view_of(name)).empty(); };
  return holds("Xing") || holds("Info") || holds("VBRI");
}

Result<bool> is_webm(const MediaFile& file) {
  constexpr std::size_t kHeader = 64;  // bytes; they contain the document type
  USHER_TRY(const Bytes head, file.bytes_at(0, kHeader));
  return !std::ranges::search(head, view_of("webm")).empty();
}

Result<std::string> subtype_of(const MediaFile& file, Container container) {
  switch (container) {
    case Container::ogg:
      return "ogg";
    case Container::mp3:
      return "mpeg";
    case Container::adts:
      return "aac";
    case Container::flac:
      return "flac";
    case Container::wav:
      return "wav";
    case Container::aiff:
      return "aiff";
    case Container::mp4:
      return "mp4";
    case Container::matroska: {
      USHER_TRY(const bool webm, is_webm(file));
      return webm ? "webm" : "x-matroska";
    }
    case Container::other:
      break;
  }
  return "";
}

Result<Form> form_of(const MediaFile& file, const Probe& probe) {
  Form frames;
  switch (probe.container) {
    case Container::ogg:
      return ogg_form(file);
    case Container::mp4:
      return mp4_form(file);
    case Container::matroska:
      return matroska_form(file);
    case Container::wav:
      return wav_form(file);
    case Container::aiff:
      return aiff_form(file);
    case Container::mp3:
    case Container::adts:
      frames.head = 0;
      return frames;
    case Container::flac:
      return frames;
    case Container::other:
      break;
  }
  return unplayable("a file of the form '" + probe.format +
                    "', which is not one of Ogg, MP3, AAC, FLAC, WAV, AIFF, fragmented MP4 and Matroska");
}

}  // namespace usher::press
