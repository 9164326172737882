// server/files/file_patterns: rules for the files that a client may fetch.  Spec: filestream.md §3.3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pki/certificate.h"

namespace usher::server {

/// `*` matches any bytes except `/`; `**` any bytes; `?` one byte except `/`; every other byte matches itself. The
/// whole text must match.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

/// Allows some clients to fetch some names.
struct FileRule {
  struct Attribute {
    std::string name;     // "CN", "O", a dotted OID
    std::string pattern;  // at least one value of the attribute must match it
  };
  std::vector<Attribute> subject{};  // all must match
  std::optional<Hash256> key{};      // the certificate's key fingerprint, in place of a subject
  std::vector<std::string> names{};  // patterns of names within the share; empty: all names

  /// `clients`: "O=Example Records", "CN=reviewer-*", …, all of which must match; or a single "key=<64 hex digits>".
  /// Empty: every client.
  /// Errors: bad_config.
  [[nodiscard]] static Result<FileRule> from_texts(const std::vector<std::string>& clients,
                                                   std::vector<std::string> names);
  [[nodiscard]] bool is_for(const pki::Certificate& client) const;
  [[nodiscard]] bool allows(std::string_view name) const;
};

}  // namespace usher::server
