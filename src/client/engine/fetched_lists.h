// client/engine/fetched_lists: fetches revocation lists from a server, and keeps them in a file.
// Spec: identity.md §11.5.
#pragma once

#include <filesystem>
#include <vector>

#include "client/engine/transport.h"
#include "pki/certificate.h"
#include "pki/crl.h"

namespace usher::client {

/// Fetches the server's lists. The answer is not authenticated: accept a list only by its signature.
/// Errors: the transport's (unknown_path: the server hands out no lists); malformed, too_long.
[[nodiscard]] Result<std::vector<pki::Crl>> ask_for_lists(Transport& transport, const Stop& stop = {});

class KeptLists {
 public:
  /// Reads the file. A file that is missing or cannot be read counts as empty.
  explicit KeptLists(std::filesystem::path file);
  [[nodiscard]] const std::vector<pki::Crl>& lists() const noexcept { return lists_; }
  /// Whether the lists should be fetched again: the file was not written within the last hour.
  [[nodiscard]] bool is_old(Time now) const;
  /// Adds those of `lists` that one of `authorities` signed, and keeps the newest list of each scope. Writes the file.
  /// Errors: not_permitted, disk_full, io.
  [[nodiscard]] Result<> take(std::vector<pki::Crl> lists, const pki::Chain& authorities, Time now);

 private:
  std::filesystem::path file_;
  std::vector<pki::Crl> lists_;
};

}  // namespace usher::client
