#include "pki/crl_index.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <openssl/err.h>

#include "pki/x509.h"

namespace usher::pki {
namespace {

/// For sorting. The serial's first 8 bytes nearly always decide, without reading the list.
struct Key {
  std::uint64_t prefix;
  std::uint32_t offset;
};

std::uint64_t prefix_of(View serial) noexcept {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < serial.size() ? serial[i] : 0U);
  return prefix;
}

bool comes_before(View a, View b) noexcept { return std::ranges::lexicographical_compare(a, b); }

GeneralNamesPtr names_of(View der) {
  const unsigned char* at = der.data();
  GeneralNamesPtr names(d2i_GENERAL_NAMES(nullptr, &at, static_cast<long>(der.size())));
  if (!names || at != der.data() + der.size()) {
    ERR_clear_error();
    return nullptr;
  }
  return names;
}

}  // namespace

Result<CrlIndex> CrlIndex::build(View der, View entries) {
  if (der.size() > std::numeric_limits<std::uint32_t>::max()) return fail(Fault::too_long, "crl");
  CrlIndex index;
  index.der_ = der;
  std::vector<Key> keys;
  bool shown_critical = false;
  std::optional<View> critical;
  for (View rest = entries; !rest.empty();) {
    USHER_TRY(const CrlEntry entry, take_entry(rest));
    const auto offset = static_cast<std::uint32_t>(entry.der.data() - der.data());
    if (!entry.issuer.empty()) {
      if (!names_of(entry.issuer)) return fail(Fault::malformed, "crl: entry's issuer");
      index.groups_.push_back({offset, entry.issuer});
    }
    View& example = entry.removed ? index.examples_.removed : index.examples_.revoked;
    if (example.empty()) {
      example = entry.der;
      shown_critical = shown_critical || entry.critical;
    }
    if (entry.critical && !critical) critical = entry.der;
    keys.push_back({prefix_of(entry.serial), offset});
  }
  index.has_critical_ = critical.has_value();
  if (critical && !shown_critical) index.examples_.critical = *critical;
  std::ranges::sort(keys, [&](const Key& a, const Key& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix
                                : comes_before(index.serial_of(a.offset), index.serial_of(b.offset));
  });
  index.order_.reserve(keys.size());
  for (const Key& key : keys) index.order_.push_back(key.offset);
  return index;
}

bool CrlIndex::is_of(std::uint32_t offset, const X509_NAME* issuer, const X509_NAME* own) const {
  const auto after = std::ranges::upper_bound(groups_, offset, {}, &Group::first);
  const X509_NAME* wanted = issuer == nullptr ? own : issuer;
  if (after == groups_.begin()) return X509_NAME_cmp(wanted, own) == 0;
  const GeneralNamesPtr names = names_of(std::prev(after)->names);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DIRNAME && X509_NAME_cmp(name->d.directoryName, wanted) == 0) return true;
  }
  return false;
}

CrlIndex::Status CrlIndex::find(View serial, const X509_NAME* issuer, const X509_NAME* own) const {
  auto at = std::ranges::lower_bound(order_, serial, comes_before,
                                     [this](std::uint32_t offset) { return serial_of(offset); });
  Status found = Status::absent;
  for (; at != order_.end() && same(serial_of(*at), serial); ++at) {
    if (!is_of(*at, issuer, own)) continue;
    View rest = der_.subspan(*at);
    const auto entry = take_entry(rest);
    if (!entry || !entry->removed) return Status::revoked;
    found = Status::removed;
  }
  return found;
}

}  // namespace usher::pki
