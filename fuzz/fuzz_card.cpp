// Messages between the card agent and its parent: a module with undefined behaviour may have written them. The first
// byte chooses which.
// Links: card
#include "card/card_wire.h"
#include "round_trip.h"

using namespace usher;
namespace card_wire = card::card_wire;

namespace {

/// A decoded value encodes to bytes that decode to the same value.
template <class T>
void stays(const Result<T>& value, Result<T> (*decode)(View)) {
  if (!value) return;
  const Bytes bytes = card_wire::encode(*value);
  const Result<T> again = decode(bytes);
  fuzz::must(again.has_value() && same(card_wire::encode(*again), bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      stays(card_wire::decode_query(bytes), card_wire::decode_query);
      break;
    case 1:
      stays(card_wire::decode_opened(bytes), card_wire::decode_opened);
      break;
    case 2:
      stays(card_wire::decode_token(bytes), card_wire::decode_token);
      break;
    case 3:
      stays(card_wire::decode_signature(bytes), card_wire::decode_signature);
      break;
    case 4:
      stays(card_wire::decode_use(bytes), card_wire::decode_use);
      break;
    case 5:
      fuzz::either_way(card_wire::encode(card_wire::decode_error(bytes)));
      break;
    default:
      stays(card_wire::decode_seen(bytes), card_wire::decode_seen);
  }
  return 0;
}
