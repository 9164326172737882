// Ogg (RFC 3533): pages, each with a capture pattern, flags, a serial number and up to 255 segments.
#include "form.h"

namespace usher::press {
namespace {

constexpr std::size_t kFixed = 27;  // bytes of a page's header before its segments
enum Flag : std::uint8_t { continued = 1, first = 2 };

struct Page {
  std::uint64_t begin = 0;
  std::uint8_t flags = 0;
  std::uint64_t body = 0;  // where its packets begin
  std::uint64_t size = 0;  // bytes, header included
  Bytes segments;          // their lengths; a length below 255 ends a packet

  [[nodiscard]] bool begins_stream() const noexcept { return (flags & Flag::first) != 0; }
};

Result<Page> page_at(const MediaFile& file, std::uint64_t at) {
  USHER_TRY(const Bytes bytes, file.bytes_at(at, kFixed + 255));
  if (bytes.size() < kFixed) return fail(Fault::truncated, "form: Ogg page");
  if (text_of(View(bytes).first(4)) != "OggS") return fail(Fault::unreadable_media, "form: Ogg", "a page is missing");
  const std::size_t segments = bytes[26];
  if (bytes.size() < kFixed + segments) return fail(Fault::truncated, "form: Ogg page");
  Page page{.begin = at,
            .flags = bytes[5],
            .body = at + kFixed + segments,
            .size = kFixed + segments,
            .segments = to_bytes(View(bytes).subspan(kFixed, segments))};
  for (const std::uint8_t segment : page.segments) page.size += segment;
  if (page.size > file.size() - at) return fail(Fault::truncated, "form: Ogg page");
  return page;
}

/// The first `count` packets of the stream that begins at `at`. The stream must not be multiplexed with others.
Result<std::vector<Bytes>> first_packets(const MediaFile& file, std::uint64_t at, std::size_t count) {
  constexpr std::size_t kMost = 16 << 20;  // bytes of all packets together
  std::vector<Bytes> packets(1);
  std::size_t total = 0;
  while (packets.size() <= count && at < file.size()) {
    USHER_TRY(const Page page, page_at(file, at));
    std::uint64_t from = page.body;
    for (const std::uint8_t segment : page.segments) {
      USHER_TRY(const Bytes piece, file.bytes_at(from, segment));
      append(packets.back(), piece);
      from += segment;
      total += segment;
      if (segment < 255) packets.emplace_back();
    }
    if (total > kMost) return fail(Fault::unreadable_media, "form: Ogg headers");
    at += page.size;
  }
  packets.resize(count);
  return packets;
}

/// The data that a decoder needs for a stream: two streams can be joined only if theirs are equal. No value for codecs
/// other than Vorbis: joined Opus plays, but its times jump at the seam.
Result<std::optional<std::vector<Bytes>>> decoder_of(const MediaFile& file, std::uint64_t at) {
  constexpr std::size_t kVorbisHeaders = 3;  // identification, comments, set-up
  USHER_TRY(std::vector<Bytes> packets, first_packets(file, at, kVorbisHeaders));
  const View start = packets.front();
  if (text_of(start).starts_with("\x01vorbis")) {
    packets.erase(packets.begin() + 1);  // comments may differ
    return packets;
  }
  return std::nullopt;
}

/// Whether all links of a chain need the same decoder data. `links`: where they begin.
Result<bool> can_be_joined(const MediaFile& file, const std::vector<std::uint64_t>& links) {
  USHER_TRY(const auto decoder, decoder_of(file, links.front()));
  if (!decoder) return false;
  for (const std::uint64_t link : links) {
    USHER_TRY(const auto other, decoder_of(file, link));
    if (other != decoder) return false;
  }
  return true;
}

/// A tag or a few bytes after the Ogg data are ignored; data that looks like a damaged page is not.
bool is_tag(const MediaFile& file, std::uint64_t at) {
  const auto bytes = file.bytes_at(at, 4);
  return bytes && (bytes->size() < 4 || text_of(View(*bytes).first(3)) == "TAG" || text_of(*bytes) == "APET");
}

}  // namespace

Result<Form> ogg_form(const MediaFile& file) {
  Form form;
  form.ends_with_unit = true;
  std::vector<std::uint64_t> links;  // where each stream begins
  bool chained = false;
  bool multiplexed = false;
  bool media = false;  // the page before was not a stream's first page
  for (std::uint64_t at = 0; at < file.size();) {
    if (media && is_tag(file, at)) break;
    USHER_TRY(const Page page, page_at(file, at));
    if (page.begins_stream()) {
      chained = chained || media;
      multiplexed = multiplexed || (!media && !links.empty());
      links.push_back(at);
    }
    media = !page.begins_stream();
    form.units.push_back({.begin = at, .end = at + page.size, .fresh = (page.flags & Flag::continued) == 0});
    at += page.size;
  }
  if (!chained) return form;
  form.obstacle = "a chained Ogg file: several recordings one after the other";
  form.can_be_repacked = false;
  if (!multiplexed) {
    USHER_TRY(form.can_be_repacked, can_be_joined(file, links));
  }
  if (!form.can_be_repacked) form.obstacle += ", encoded in different ways";
  return form;
}

}  // namespace usher::press
