// What peers and files say about who they are. The first byte chooses which.
// Links: identity
#include "identity/certificate.h"
#include "identity/crl.h"
#include "identity/statement.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      (void)identity::Certificate::from_der(bytes);
      break;
    case 1:
      (void)identity::bundle_from_pem(text_of(bytes));
      break;
    case 2:
      (void)identity::Crl::from_der(bytes);
      break;
    case 3:
      (void)identity::crls_from_file_content(bytes);
      break;
    case 4:
      fuzz::one_encoding<identity::Statement>(bytes);
      break;
    case 5:
      fuzz::one_encoding<identity::AuthRequest>(bytes);
      break;
    default:
      (void)identity::RevocationFloor::from_text(text_of(bytes));
  }
  return 0;
}
