// Ogg (RFC 3533): pages, each with a capture pattern, flags, a serial number and up to 255 segments.
#include <set>

#include "form.h"
#include "wire/codec.h"

namespace usher::press {
namespace {

constexpr std::size_t kFixed = 27;  // bytes of a page's header before its segments
enum Flag : std::uint8_t { continued = 1, first = 2 };

struct Page {
  std::uint8_t flags = 0;
  bool describes = false;  // of a page that begins a stream: anything but Skeleton, which holds no media
  std::uint64_t size = 0;  // bytes, all of it
  Bytes start;             // of its first packet
};

Result<Page> page_at(const MediaFile& file, std::uint64_t at) {
  constexpr std::size_t kMost = kFixed + 255 + 32;
  USHER_TRY(const Bytes bytes, file.bytes_at(at, kMost));
  if (bytes.size() < kFixed) return fail(Fault::truncated, "form: Ogg page");
  if (text_of(View(bytes).first(4)) != "OggS") return fail(Fault::unreadable_media, "form: Ogg", "a page is missing");
  const std::size_t segments = bytes[26];
  if (bytes.size() < kFixed + segments) return fail(Fault::truncated, "form: Ogg page");
  Page page{.flags = bytes[5], .size = kFixed + segments, .start = {}};
  for (std::size_t i = 0; i < segments; ++i) page.size += bytes[kFixed + i];
  if (page.size > file.size() - at) return fail(Fault::truncated, "form: Ogg page");
  page.start = to_bytes(View(bytes).subspan(kFixed + segments));
  return page;
}

/// What follows an Ogg file, a tag for example, is not its business; what looks like a damaged page is.
bool is_tag(const MediaFile& file, std::uint64_t at) {
  const auto bytes = file.bytes_at(at, 4);
  return bytes && (bytes->size() < 4 || text_of(View(*bytes).first(3)) == "TAG" || text_of(*bytes) == "APET");
}

/// Whether the two descriptions of a stream are for the same decoder: the codec, its channels, its rate.
bool same_decoder(const Bytes& one, const Bytes& other) {
  const auto compared = [](const Bytes& bytes) {
    constexpr std::size_t kCompared = 16;  // bytes: Vorbis to the rate; Opus to the rate as well
    Bytes out(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), kCompared)));
    // The pre-skip of Opus differs from link to link and does no harm.
    if (out.size() > 11 && text_of(View(out).first(4)) == "Opus") out[10] = out[11] = 0;
    return out;
  };
  return same(compared(one), compared(other));
}

}  // namespace

Result<Form> ogg_form(const MediaFile& file) {
  Form form;
  form.ends_with_unit = true;
  std::vector<Bytes> descriptions;
  bool media = false;  // a page that begins no stream has come
  bool chained = false;
  for (std::uint64_t at = 0; at < file.size();) {
    if (media && is_tag(file, at)) break;
    USHER_TRY(Page page, page_at(file, at));
    const bool begins = (page.flags & Flag::first) != 0;
    if (begins && media) {
      chained = true;
      form.can_be_repacked =
          form.can_be_repacked && descriptions.size() == 1 && same_decoder(descriptions.front(), page.start);
    }
    if (begins && !media) descriptions.push_back(std::move(page.start));
    media = media || !begins;
    form.units.push_back({.begin = at, .end = at + page.size, .fresh = (page.flags & Flag::continued) == 0});
    at += page.size;
  }
  if (chained) {
    form.obstacle = "a chained Ogg file: several recordings one after the other";
    if (!form.can_be_repacked) form.obstacle += ", of different kinds, which only encoding again can join";
  }
  return form;
}

}  // namespace usher::press
