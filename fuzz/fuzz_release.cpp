// What a press writes: manifests, signed manifests, and the headers of sealed objects. The first byte chooses which.
// Links: media
#include "media/manifest.h"
#include "media/sealed.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      fuzz::one_encoding<media::Manifest>(bytes);
      break;
    case 1:
      fuzz::one_encoding<media::SignedManifest>(bytes);
      break;
    default:
      if (const auto header = media::Header::read(*media::memory_source(to_bytes(bytes)))) {
        fuzz::must(header->size <= bytes.size());
      }
  }
  return 0;
}
