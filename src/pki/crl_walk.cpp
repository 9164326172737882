#include "pki/crl_walk.h"

#include <array>
#include <optional>

#include <openssl/asn1.h>

namespace usher::pki {
namespace {

// The encoded identifiers, under 2.5.29, of the entry extensions that are read here (RFC 5280 §5.3).
constexpr std::array<std::uint8_t, 3> kReasonCode{0x55, 0x1d, 0x15};
constexpr std::array<std::uint8_t, 3> kCertificateIssuer{0x55, 0x1d, 0x1d};
constexpr std::uint8_t kRemoveFromCrl = 8;

/// The first byte of a header with a small tag number.
enum Tag : std::uint8_t {
  boolean = 0x01,
  integer = 0x02,
  bit_string = 0x03,
  octets = 0x04,
  object = 0x06,
  enumerated = 0x0a,
  utc_time = 0x17,
  generalized_time = 0x18,
  sequence = 0x30,
  extensions = 0xa0,
};

struct Element {
  std::uint8_t tag = 0;
  View whole;
  View content;
};

/// Takes the first element off `rest`; nullopt if no element ends within it. Indefinite lengths are not DER.
std::optional<Element> take(View& rest) noexcept {
  if (rest.empty()) return std::nullopt;
  const unsigned char* at = rest.data();
  long size = 0;
  int number = 0;
  int kind = 0;
  const int form = ASN1_get_object(&at, &size, &number, &kind, static_cast<long>(rest.size()));
  if ((form & 0x81) != 0 || number > 0x1e) return std::nullopt;
  const auto header = static_cast<std::size_t>(at - rest.data());
  const auto length = static_cast<std::size_t>(size);
  const Element element{rest.front(), rest.first(header + length), rest.subspan(header, length)};
  rest = rest.subspan(header + length);
  return element;
}

std::optional<View> take(View& rest, Tag tag) noexcept {
  const auto element = take(rest);
  if (!element || element->tag != tag) return std::nullopt;
  return element->content;
}

bool next_is(View rest, std::initializer_list<Tag> tags) noexcept {
  return !rest.empty() && std::ranges::any_of(tags, [&](Tag tag) { return rest.front() == tag; });
}

/// Each number must have one encoding, or one serial number would have two places in the order.
bool is_minimal(View number) noexcept {
  if (number.size() < 2) return !number.empty();
  return !(number[0] == 0x00 && number[1] < 0x80) && !(number[0] == 0xff && number[1] >= 0x80);
}

/// Copies the content of one extension into its entry. False: malformed.
bool read_extension(View content, CrlEntry& entry, bool& has_reason) noexcept {
  const auto name = take(content, object);
  if (!name || name->empty()) return false;
  bool critical = false;
  if (next_is(content, {boolean})) {
    const auto flag = take(content, boolean);
    if (!flag || flag->size() != 1) return false;
    critical = flag->front() != 0;
  }
  const auto value = take(content, octets);
  if (!value || !content.empty()) return false;
  if (same(*name, kCertificateIssuer)) {
    const bool first = entry.issuer.empty();
    entry.issuer = *value;
    return first && !value->empty();
  }
  entry.critical = entry.critical || critical;
  if (!same(*name, kReasonCode)) return true;
  View rest = *value;
  const auto reason = take(rest, enumerated);
  const bool first = !has_reason;
  has_reason = true;
  entry.removed = reason && reason->size() == 1 && reason->front() == kRemoveFromCrl;
  return first && reason && rest.empty() && is_minimal(*reason);
}

bool read_extensions(View content, CrlEntry& entry) noexcept {
  bool has_reason = false;
  while (!content.empty()) {
    const auto extension = take(content, sequence);
    if (!extension || !read_extension(*extension, entry, has_reason)) return false;
  }
  return true;
}

/// Skips version, algorithm, issuer and times, which precede the entries. False: malformed.
bool skip_to_entries(View& rest, View outer_algorithm) noexcept {
  if (next_is(rest, {integer}) && !take(rest)) return false;
  const auto algorithm = take(rest, sequence);
  // RFC 5280 §5.1.1.2: the algorithm next to the signature must equal the one in the signed part.
  if (!algorithm || !same(*algorithm, outer_algorithm) || !take(rest, sequence)) return false;
  if (!next_is(rest, {utc_time, generalized_time}) || !take(rest)) return false;
  return !next_is(rest, {utc_time, generalized_time}) || take(rest).has_value();
}

}  // namespace

Result<CrlParts> split_crl(View der) {
  constexpr std::string_view kWhere = "crl";
  View outer = der;
  const auto list = take(outer, sequence);
  if (!list || !outer.empty()) return fail(Fault::malformed, kWhere);
  View rest = *list;
  const auto body = take(rest);
  if (!body || body->tag != sequence) return fail(Fault::malformed, kWhere);
  CrlParts parts{.signed_bytes = body->whole, .signature = rest};
  const auto algorithm = take(rest, sequence);
  const auto signature = take(rest, bit_string);
  // The signature must be whole bytes.
  if (!algorithm || !signature || !rest.empty() || signature->empty() || signature->front() != 0) {
    return fail(Fault::malformed, kWhere);
  }
  View inside = body->content;
  if (!skip_to_entries(inside, *algorithm)) return fail(Fault::malformed, kWhere);
  parts.before = body->content.first(body->content.size() - inside.size());
  if (next_is(inside, {sequence})) {
    const auto entries = take(inside, sequence);
    if (!entries) return fail(Fault::malformed, kWhere);
    parts.entries = *entries;
  }
  parts.after = inside;
  if (next_is(inside, {extensions}) && !take(inside)) return fail(Fault::malformed, kWhere);
  if (!inside.empty()) return fail(Fault::malformed, kWhere);
  if (der.size() - parts.entries.size() > kMaxCrlAround) return fail(Fault::too_long, kWhere);
  return parts;
}

Result<CrlEntry> take_entry(View& rest) {
  constexpr std::string_view kWhere = "crl: entry";
  const auto element = take(rest);
  if (!element || element->tag != sequence) return fail(Fault::malformed, kWhere);
  if (element->whole.size() > kMaxCrlEntry) return fail(Fault::too_long, kWhere);
  View content = element->content;
  const auto serial = take(content, integer);
  if (!serial || !is_minimal(*serial)) return fail(Fault::malformed, kWhere);
  if (!next_is(content, {utc_time, generalized_time}) || !take(content)) return fail(Fault::malformed, kWhere);
  CrlEntry entry{.der = element->whole, .serial = *serial};
  if (content.empty()) return entry;
  const auto all = take(content, sequence);
  if (!all || !content.empty() || !read_extensions(*all, entry)) return fail(Fault::malformed, kWhere);
  return entry;
}

View serial_at(View entry) noexcept {
  View content = take(entry, sequence).value_or(View{});
  return take(content, integer).value_or(View{});
}

}  // namespace usher::pki
