// pki/crl_index: finds a serial number in a revocation list by binary search.  For crl*.cpp.
// Spec: identity.md §4.6.
//
// The entries stay in the list's DER. The index takes 4 more bytes per entry:
//
//     DER     … | serial, date, extensions | serial, date | …
//     order   u32 offset of each entry, by serial number
//     groups  for indirect lists: the entry from which on a certificateIssuer applies (RFC 5280 §5.3.3)
#pragma once

#include <cstdint>
#include <vector>

#include <openssl/types.h>

#include "pki/crl_walk.h"

namespace usher::pki {

/// Immutable. Borrows the list's DER.
class CrlIndex {
 public:
  enum class Status : std::uint8_t { absent, revoked, removed };

  /// `entries` lies within `der`. Errors: malformed; too_long.
  [[nodiscard]] static Result<CrlIndex> build(View der, View entries);

  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  /// The list's status of the certificate with this serial number (DER content) and issuer. `own` is the list's issuer;
  /// `issuer` null means `own`. If the list has both kinds of entries for it, it is revoked.
  [[nodiscard]] Status find(View serial, const X509_NAME* issuer, const X509_NAME* own) const;

  /// One entry of each kind that OpenSSL distinguishes; empty if the list has no such entry.
  struct Examples {
    View revoked;
    View removed;
    View critical;  // empty also if one of the others is critical
  };
  [[nodiscard]] Examples examples() const noexcept { return examples_; }
  /// Whether any entry has a critical extension that is not known here.
  [[nodiscard]] bool has_critical() const noexcept { return has_critical_; }

 private:
  struct Group {
    std::uint32_t first;  // offset of its first entry
    View names;           // GeneralNames
  };
  [[nodiscard]] View serial_of(std::uint32_t offset) const noexcept { return serial_at(der_.subspan(offset)); }
  [[nodiscard]] bool is_of(std::uint32_t offset, const X509_NAME* issuer, const X509_NAME* own) const;

  View der_;
  std::vector<std::uint32_t> order_;
  std::vector<Group> groups_;
  Examples examples_;
  bool has_critical_ = false;
};

}  // namespace usher::pki
