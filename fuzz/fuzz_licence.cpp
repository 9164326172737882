// A licence's payload, and the document around it. The first byte chooses which.
// Links: licence crypto
#include "crypto/key.h"
#include "licence/licence.h"
#include "round_trip.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kKey = crypto::PrivateKey::generate(crypto::NewKey::p256).value();
  if (size == 0) return 0;
  const std::string_view text = text_of(View(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    if (const auto terms = licence::decode_terms(text)) fuzz::must(licence::encode_terms(*terms) == text);
    return 0;
  }
  fuzz::either_way(licence::claimed_key_id(text));
  fuzz::must(!licence::verify(text, kKey.public_key()));  // the key is new: it has signed nothing
  return 0;
}
