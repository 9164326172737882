// What a press writes: manifests, signed manifests, headers of sealed objects, outlines of releases. The first byte
// chooses which.
// Links: media
#include "media/release.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz::one_encoding<media::Manifest>(bytes);
      break;
    case 1:
      fuzz::one_encoding<media::SignedManifest>(bytes);
      break;
    case 2:
      if (const auto header = media::Header::read(*media::memory_source(to_bytes(bytes)))) {
        fuzz::must(header->size <= bytes.size());
      }
      break;
    default:
      if (const auto outline = media::ReleaseOutline::read(media::memory_source(to_bytes(bytes)))) {
        fuzz::must(outline->parts_offset <= outline->media_offset && outline->media_offset <= bytes.size());
      }
  }
  return 0;
}
