// The message that answers a survey (identity.md §9.6, §9.9).
#include <algorithm>

#include "base/encoding.h"
#include "card/card_wire.h"
#include "wire/codec.h"

namespace usher::card::card_wire {
namespace {

using wire::Reader;
using wire::Writer;

constexpr std::string_view kWhere = "card agent";

void write_certificate(Writer& out, const SeenCertificate& seen) {
  out.text16(seen.label).vec16(seen.id).vec16(seen.certificate ? View(seen.certificate->der()) : View{});
  out.u8(seen.keyless ? 1 : 0);
}

SeenCertificate read_certificate(Reader& in) {
  SeenCertificate seen{.label = in.text16(), .id = to_bytes(in.vec16())};
  const View der = in.vec16(0, p11::kMaxObjectValue);
  seen.keyless = in.flag();
  if (der.empty()) return seen;
  auto parsed = pki::Certificate::from_der(der);
  if (!parsed) {
    in.refuse();
  } else {
    seen.certificate = *std::move(parsed);
  }
  return seen;
}

void write_slot(Writer& out, const SeenSlot& seen) {
  out.u64(seen.slot.slot).text8(seen.slot.description).u8(seen.slot.token_present ? 1 : 0);
  out.vec16(seen.token ? View(encode(*seen.token)) : View{});
  const std::size_t count = std::min(seen.certificates.size(), p11::kMaxObjects);
  out.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) write_certificate(out, seen.certificates[i]);
  out.u8(static_cast<std::uint8_t>(seen.schemes.size()));
  for (const crypto::SignatureScheme scheme : seen.schemes) out.u16(static_cast<std::uint16_t>(scheme));
  out.u8(seen.bare_key ? 1 : 0);
  out.vec24(seen.trouble ? View(encode(*seen.trouble)) : View{});
}

SeenSlot read_slot(Reader& in) {
  SeenSlot seen;
  seen.slot.slot = in.u64();
  seen.slot.description = in.text8();
  seen.slot.token_present = in.flag();
  if (const View token = in.vec16(); !token.empty()) {
    auto decoded = decode_token(token);
    if (!decoded) {
      in.refuse();
    } else {
      seen.token = *std::move(decoded);
    }
  }
  const std::uint8_t count = in.u8();
  if (count > p11::kMaxObjects) in.refuse();
  for (int i = 0; i < count && in.ok(); ++i) seen.certificates.push_back(read_certificate(in));
  const std::uint8_t schemes = in.u8();
  for (int i = 0; i < schemes && in.ok(); ++i) {
    if (const auto scheme = crypto::scheme_of(in.u16())) {
      seen.schemes.push_back(*scheme);
    } else {
      in.refuse();
    }
  }
  seen.bare_key = in.flag();
  if (const View trouble = in.vec24(); !trouble.empty()) seen.trouble = decode_error(trouble);
  return seen;
}

}  // namespace

Bytes encode(const SeenModule& seen) {
  Writer out;
  out.text16(printable(seen.path)).text8(seen.description).u8(static_cast<std::uint8_t>(seen.slots.size()));
  for (const SeenSlot& slot : seen.slots) write_slot(out, slot);
  return out.take();
}

Result<SeenModule> decode_seen(View body) {
  Reader in(body, kWhere);
  SeenModule seen{.path = in.text16(), .description = in.text8()};
  const std::uint8_t count = in.u8();
  if (count > p11::kMaxSlots) in.refuse();
  for (int i = 0; i < count && in.ok(); ++i) seen.slots.push_back(read_slot(in));
  USHER_CHECK(in.finish());
  return seen;
}

}  // namespace usher::card::card_wire
