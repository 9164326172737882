// The bodies of requests and responses, channel.md §9. The first byte chooses which.
// Links: wire
#include "round_trip.h"
#include "wire/api.h"
#include "wire/revocation_lists.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*kBodies[])(View) = {
      fuzz::one_encoding<wire::Page>,
      fuzz::one_encoding<wire::Authenticated>,
      fuzz::one_encoding<wire::Catalogue>,
      fuzz::one_encoding<wire::Licences>,
      fuzz::one_encoding<wire::LicenceEntry>,
      fuzz::one_encoding<wire::Acquire>,
      fuzz::one_encoding<wire::Open>,
      fuzz::one_encoding<wire::Opened>,
      fuzz::one_encoding<wire::Plays>,
      fuzz::one_encoding<wire::Resume>,
      fuzz::one_encoding<wire::Close>,
      fuzz::one_encoding<wire::Closed>,
      fuzz::one_encoding<wire::Chunk>,
      fuzz::one_encoding<wire::ChunkBody>,
      fuzz::one_encoding<wire::RevocationLists>,
  };
  kBodies[data[0] % std::size(kBodies)](View(data + 1, size - 1));
  return 0;
}
