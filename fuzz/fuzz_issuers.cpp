// What is behind the URL of an authority's certificate.
// Links: identity
#include "identity/issuers.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto issuers = identity::issuers_from_content(View(data, size));
  if (!issuers) return 0;
  fuzz::must(!issuers->empty());
  // Whatever they are: nobody is led round in a circle.
  fuzz::either_way(identity::top_of(*issuers, *issuers));
  return 0;
}
