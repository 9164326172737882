// The content at the URL of an authority's certificate.
// Links: pki
#include "pki/issuers.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto issuers = pki::issuers_from_content(View(data, size));
  if (!issuers) return 0;
  fuzz::must(!issuers->empty());
  // Whatever the certificates are, the search never runs in a circle.
  fuzz::either_way(pki::top_of(*issuers, *issuers));
  return 0;
}
