// net/file_patterns: who may fetch what.  Spec: filestream.md §3.3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "identity/certificate.h"

namespace usher::net {

/// `*`: any bytes but `/`; `**`: any bytes; `?`: one byte but `/`; every other byte itself. The whole text must match.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

/// Allows names to clients.
struct FileRule {
  struct Attribute {
    std::string name;     // "CN", "O", a dotted OID
    std::string pattern;  // for one of its values
  };
  std::vector<Attribute> subject{};  // each of them must match
  std::optional<Hash256> key{};      // the certificate's key fingerprint, in place of a subject
  std::vector<std::string> names{};  // beneath the share; empty: all

  /// "O=Example Records", "CN=reviewer-*" (all of them), or "key=<64 hex digits>" alone. None: every client.
  /// Errors: bad_config.
  [[nodiscard]] static Result<FileRule> from_texts(const std::vector<std::string>& clients,
                                                   std::vector<std::string> names);
  [[nodiscard]] bool is_for(const identity::Certificate& client) const;
  [[nodiscard]] bool allows(std::string_view name) const;
};

}  // namespace usher::net
