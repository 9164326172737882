// Matroska and WebM (RFC 9559 on EBML, RFC 8794): elements, each with an id, a size and a content.
#include "form.h"

namespace usher::press {
namespace {

constexpr std::uint32_t kEbml = 0x1a45dfa3;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kCluster = 0x1f43b675;
// Elements that can follow a cluster in a segment. Their ids are not valid inside a cluster.
constexpr std::array<std::uint32_t, 8> kLevelOne = {kCluster,   0x114d9b74, 0x1549a966, 0x1654ae6b,
                                                    0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367};

struct Element {
  std::uint32_t id = 0;
  std::uint64_t data = 0;             // where the content begins
  std::optional<std::uint64_t> size;  // of the content; no value: unknown, up to where it must end
};

/// Errors: truncated; unreadable_media.
Result<Element> element_at(const MediaFile& file, std::uint64_t at) {
  USHER_TRY(const Bytes bytes, file.bytes_at(at, 12));
  if (bytes.size() < 2) return fail(Fault::truncated, "form: EBML");
  // The number of zero bits before the first 1 is the number of bytes that follow.
  const auto id_size = static_cast<std::size_t>(std::countl_zero(bytes[0])) + 1;
  if (id_size > 4) return fail(Fault::unreadable_media, "form: EBML id");
  if (bytes.size() <= id_size) return fail(Fault::truncated, "form: EBML");
  Element out;
  for (std::size_t i = 0; i < id_size; ++i) out.id = out.id << 8 | bytes[i];
  const auto length = static_cast<std::size_t>(std::countl_zero(bytes[id_size])) + 1;
  if (length > 8) return fail(Fault::unreadable_media, "form: EBML size");
  if (bytes.size() < id_size + length) return fail(Fault::truncated, "form: EBML");
  const std::uint64_t unknown = (std::uint64_t{1} << (7 * length)) - 1;
  std::uint64_t size = bytes[id_size];
  for (std::size_t i = 1; i < length; ++i) size = size << 8 | bytes[id_size + i];
  size &= unknown;  // removes the bit that ends the length prefix
  out.data = at + id_size + length;
  if (size != unknown) out.size = size;
  if (out.size && *out.size > file.size() - out.data) return fail(Fault::truncated, "form: EBML");
  return out;
}

/// The end of a cluster without a size: the next element of the level above.
Result<std::uint64_t> end_of_cluster(const MediaFile& file, std::uint64_t at) {
  while (at < file.size()) {
    USHER_TRY(const Element child, element_at(file, at));
    if (std::ranges::find(kLevelOne, child.id) != kLevelOne.end()) break;
    if (!child.size) return fail(Fault::unreadable_media, "form: cluster");
    at = child.data + *child.size;
  }
  return at;
}

}  // namespace

Result<Form> matroska_form(const MediaFile& file) {
  Form form;
  for (std::uint64_t at = 0; at < file.size();) {
    USHER_TRY(const Element element, element_at(file, at));
    std::uint64_t next = element.data + element.size.value_or(0);
    if (at == 0 && element.id != kEbml) return fail(Fault::unreadable_media, "form: Matroska");
    if (element.id == kSegment) next = element.data;
    if (element.id == kCluster) {
      if (!element.size) {
        USHER_TRY(next, end_of_cluster(file, element.data));
      }
      if (form.units.empty()) form.head = at;
      form.units.push_back({.begin = at, .end = next});
    }
    at = next;
  }
  if (form.units.empty()) return fail(Fault::truncated, "form: Matroska");
  return form;
}

}  // namespace usher::press
