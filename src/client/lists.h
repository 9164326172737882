// client/lists: the revocation lists that a server handed out, kept from one time to the next.  Spec: identity.md §11.5.
#pragma once

#include <filesystem>
#include <vector>

#include "client/transport.h"
#include "identity/certificate.h"
#include "identity/crl.h"

namespace usher::client {

/// Asks the server. Nobody vouches for what it answers: a list counts only by its signature.
/// Errors: the transport's (unknown_path: a server that hands none out); malformed, too_long.
[[nodiscard]] Result<std::vector<identity::Crl>> ask_for_lists(Transport& transport, const Stop& stop = {});

class KeptLists {
 public:
  /// Reads what is there; what does not read counts as nothing.
  explicit KeptLists(std::filesystem::path file);
  [[nodiscard]] const std::vector<identity::Crl>& lists() const noexcept { return lists_; }
  /// Whether it is time to ask: nothing was kept for an hour.
  [[nodiscard]] bool is_old(Time now) const;
  /// Takes those that one of `authorities` signed; of each scope the newest stays.
  /// Errors: not_permitted, disk_full, io.
  [[nodiscard]] Result<> take(std::vector<identity::Crl> lists, const identity::Chain& authorities, Time now);

 private:
  std::filesystem::path file_;
  std::vector<identity::Crl> lists_;
};

}  // namespace usher::client
