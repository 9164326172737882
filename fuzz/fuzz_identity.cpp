// Identity data from peers and files. The first byte chooses which.
// Links: person
#include "person/statement.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      fuzz::either_way(pki::Certificate::from_der(bytes));
      break;
    case 1:
      fuzz::either_way(pki::bundle_from_pem(text_of(bytes)));
      break;
    case 2:
      fuzz::either_way(pki::Crl::from_der(bytes));
      break;
    case 3:
      fuzz::either_way(pki::crls_from_file_content(bytes));
      break;
    case 4:
      fuzz::one_encoding<person::Statement>(bytes);
      break;
    case 5:
      fuzz::one_encoding<person::AuthRequest>(bytes);
      break;
    default:
      fuzz::either_way(pki::RevocationFloor::from_text(text_of(bytes)));
  }
  return 0;
}
