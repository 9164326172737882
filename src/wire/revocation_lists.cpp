#include "wire/revocation_lists.h"

#include "wire/codec.h"

namespace usher::wire {

Bytes RevocationLists::encode() const {
  Writer out;
  out.u8(static_cast<std::uint8_t>(lists.size()));
  for (const Bytes& list : lists) out.vec24(list);
  return out.take();
}

Result<RevocationLists> RevocationLists::decode(View body) {
  if (body.size() > kMaxHandedBytes) return fail(Fault::too_long, "revocation lists");
  Reader in(body, "revocation lists");
  const std::size_t count = in.u8();
  if (count > kMaxHandedLists) in.refuse();
  RevocationLists out;
  for (std::size_t i = 0; i < count && in.ok(); ++i) out.lists.push_back(to_bytes(in.vec24(1)));
  USHER_CHECK(in.finish());
  return out;
}

}  // namespace usher::wire
