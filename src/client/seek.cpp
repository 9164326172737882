#include "client/seek.h"

#include <optional>

namespace usher::client {
namespace {

constexpr std::size_t kMaxHead = 4 << 20;      // bytes of Ogg headers: they may hold a cover
constexpr std::size_t kMaxPage = 65'307;       // bytes of an Ogg page, RFC 3533 §6
constexpr std::size_t kLook = 2 * kMaxPage;    // bytes in which a whole page must begin and end
constexpr std::uint64_t kCloseEnough = 2'000;  // milliseconds
constexpr int kProbes = 3;

std::uint64_t little(View bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes[at + i]} << (8 * i);
  return value;
}
std::uint64_t big(View bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

/// RFC 3533 §6: polynomial 0x04c11db7, not reflected, the checksum's own field taken as zeros.
std::uint32_t page_checksum(View page) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const std::uint8_t byte = i >= 22 && i < 26 ? 0 : page[i];
    crc ^= std::uint32_t{byte} << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80000000) != 0 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  }
  return crc;
}

struct OggPage {
  std::size_t size = 0;  // bytes, header included
  std::size_t header = 0;
  std::uint64_t granule = 0;  // all ones: no packet ends here; more than 2^48 is taken for that
  std::uint32_t serial = 0;
  std::size_t packets = 0;  // that end here
};

/// The page that `bytes` begins with.
std::optional<OggPage> page_at(View bytes) {
  if (bytes.size() < 27 || text_of(bytes.first(4)) != "OggS" || bytes[4] != 0) return std::nullopt;
  const std::size_t segments = bytes[26];
  OggPage page{.header = 27 + segments,
               .granule = little(bytes, 6, 8),
               .serial = static_cast<std::uint32_t>(little(bytes, 14, 4))};
  if (bytes.size() < page.header) return std::nullopt;
  page.size = page.header;
  for (std::size_t i = 0; i < segments; ++i) {
    page.size += bytes[27 + i];
    page.packets += bytes[27 + i] < 255 ? 1 : 0;
  }
  if (bytes.size() < page.size || page_checksum(bytes.first(page.size)) != little(bytes, 22, 4)) return std::nullopt;
  return page;
}

struct OggStream {
  std::uint64_t head = 0;  // bytes of the header pages
  std::uint32_t serial = 0;
  std::uint64_t rate = 0;  // granules a second
  std::uint64_t skip = 0;  // granules before time 0
};

/// What the first packet tells: how fast granules count, and how many header packets there are.
Result<std::size_t> identify(View packet, OggStream& stream) {
  const auto starts = [&](std::string_view text, std::size_t size) {
    return packet.size() >= size && text_of(packet.first(text.size())) == text;
  };
  std::size_t headers = 0;
  if (starts(std::string_view("\x01vorbis", 7), 16)) {
    stream.rate = little(packet, 12, 4);
    headers = 3;
  } else if (starts("OpusHead", 19)) {
    stream.rate = 48'000;
    stream.skip = little(packet, 10, 2);
    headers = 2;
  } else if (starts("\x7f"
                    "FLAC",
                    30)) {
    stream.rate = big(packet, 27, 3) >> 4;
    headers = 1 + static_cast<std::size_t>(big(packet, 7, 2));
  }
  if (stream.rate == 0 || headers < 2) return fail(Fault::unsupported, "seek: ogg", "this kind of Ogg stream");
  return headers;
}

Result<OggStream> read_ogg_head(const media::Manifest& manifest, const ReadAt& read) {
  OggStream stream;
  std::size_t left = 1;
  while (left > 0) {
    if (stream.head > std::min<std::uint64_t>(kMaxHead, manifest.size)) {
      return fail(Fault::unsupported, "seek: ogg head", "headers as large as these");
    }
    USHER_TRY(const crypto::Secret bytes, read(stream.head, kMaxPage));
    const auto page = page_at(bytes.expose());
    if (!page) return fail(Fault::unsupported, "seek: ogg page", "a damaged Ogg stream");
    if (stream.head == 0) {
      stream.serial = page->serial;
      USHER_TRY(left, identify(bytes.expose().first(page->size).subspan(page->header), stream));
    } else if (page->serial != stream.serial) {
      return fail(Fault::unsupported, "seek: ogg streams", "an Ogg file with several streams");
    }
    left -= std::min(left, page->packets);
    stream.head += page->size;
  }
  return stream;
}

/// The first page boundary after `offset` whose time is known: the end of a page that has a granule.
Result<std::optional<StartPoint>> ogg_boundary(const OggStream& stream, const ReadAt& read, std::uint64_t offset) {
  USHER_TRY(const crypto::Secret bytes, read(offset, kLook));
  const View all = bytes.expose();
  for (std::size_t at = 0; at + 27 <= all.size(); ++at) {
    if (all[at] != 'O') continue;
    const auto page = page_at(all.subspan(at));
    if (!page || page->serial != stream.serial) continue;
    if (page->granule < std::uint64_t{1} << 48) {
      const std::uint64_t granule = page->granule > stream.skip ? page->granule - stream.skip : 0;
      return StartPoint{
          .head = stream.head, .offset = offset + at + page->size, .time_ms = granule * 1000 / stream.rate};
    }
    at += page->size - 1;
  }
  return std::nullopt;
}

Result<StartPoint> find_in_ogg(const media::Manifest& manifest, const ReadAt& read, std::uint64_t target) {
  USHER_TRY(const OggStream stream, read_ogg_head(manifest, read));
  StartPoint low{.head = stream.head, .offset = stream.head, .time_ms = 0};
  StartPoint high{.head = stream.head, .offset = manifest.size, .time_ms = manifest.duration_ms};
  StartPoint best = low;
  for (int probe = 0; probe < kProbes && high.offset > low.offset && high.time_ms > low.time_ms; ++probe) {
    const std::uint64_t wanted = std::clamp(target, low.time_ms, high.time_ms) - low.time_ms;
    const double share = static_cast<double>(wanted) / static_cast<double>(high.time_ms - low.time_ms);
    const std::uint64_t span = high.offset - low.offset;
    const std::uint64_t guess = low.offset + static_cast<std::uint64_t>(static_cast<double>(span) * share);
    USHER_TRY(const std::optional<StartPoint> found, ogg_boundary(stream, read, guess));
    if (!found || found->offset >= manifest.size || found->time_ms > manifest.duration_ms) {
      high.offset = guess;  // the end is nearer than it seemed
      high.time_ms = std::max(target, low.time_ms);
      continue;
    }
    best = *found;
    const std::uint64_t off = best.time_ms > target ? best.time_ms - target : target - best.time_ms;
    if (off <= kCloseEnough) break;
    (best.time_ms > target ? high : low) = best;
  }
  return best;
}

/// Bytes of an MPEG audio frame of layer III, or 0.
std::size_t mpeg_frame(View bytes) {
  constexpr std::array<std::array<std::uint16_t, 15>, 2> kRates{
      {{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},  // MPEG 1
       {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}}};    // MPEG 2, 2.5
  constexpr std::array<std::uint32_t, 3> kSamples{44'100, 48'000, 32'000};
  if (bytes.size() < 4 || bytes[0] != 0xff || (bytes[1] & 0xe6) != 0xe2) return 0;
  const unsigned version = bytes[1] >> 3 & 3;  // 0: 2.5, 2: 2, 3: 1
  const unsigned rate = bytes[2] >> 4;
  const unsigned samples = bytes[2] >> 2 & 3;
  if (version == 1 || rate == 0 || rate == 15 || samples == 3) return 0;
  const std::uint32_t frequency = kSamples[samples] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  const std::uint32_t kbit = kRates[version == 3 ? 0 : 1][rate];
  return (version == 3 ? 144U : 72U) * kbit * 1000 / frequency + (bytes[2] >> 1 & 1);
}

/// At the frame nearest after the place that the time has in a file of constant rate.
Result<StartPoint> find_in_mpeg(const media::Manifest& manifest, const ReadAt& read, std::uint64_t target) {
  const double share = static_cast<double>(target) / static_cast<double>(manifest.duration_ms);
  const auto guess = static_cast<std::uint64_t>(static_cast<double>(manifest.size) * share);
  USHER_TRY(const crypto::Secret bytes, read(guess, 8'192));
  const View all = bytes.expose();
  for (std::size_t at = 0; at < all.size(); ++at) {
    const std::size_t size = mpeg_frame(all.subspan(at));
    if (size == 0 || at + size >= all.size() || mpeg_frame(all.subspan(at + size)) == 0) continue;
    return StartPoint{.head = 0, .offset = guess + at, .time_ms = target};
  }
  return fail(Fault::unsupported, "seek: mpeg", "a damaged MPEG stream");
}

}  // namespace

Result<StartPoint> find_start(const media::Manifest& manifest, const ReadAt& read, std::uint64_t target_ms) {
  if (target_ms == 0) return StartPoint{};
  if (manifest.duration_ms == 0) return fail(Fault::unsupported, "seek: duration", "a medium of unknown duration");
  const std::uint64_t target = std::min(target_ms, manifest.duration_ms);
  USHER_TRY(const crypto::Secret start, read(0, 4));
  const View magic = start.expose();
  if (text_of(magic) == "OggS") return find_in_ogg(manifest, read, target);
  const bool tagged = magic.size() >= 3 && text_of(magic.first(3)) == "ID3";
  if (manifest.media_type == "audio/mpeg" && (tagged || mpeg_frame(magic) != 0))
    return find_in_mpeg(manifest, read, target);
  return fail(Fault::unsupported, "seek: form", "going to another place in " + manifest.media_type);
}

}  // namespace usher::client
