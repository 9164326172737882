// server/fetching/revocation_cache: keeps fetched revocation lists on disk.  Spec: identity.md §11.4.
//
//     <directory>/<SHA-256 of the URL, hex>.url    the URL
//     <directory>/<the same>.pem                   the authority that signed the list
//     <directory>/<the same>.crl                   the list, DER; written last
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pki/certificate.h"
#include "pki/crl.h"

namespace usher::server {

inline constexpr std::size_t kMaxFetchedLists = 256;

struct CachedList {
  std::string url;
  pki::Certificate issuer;
  pki::Crl list;
};

/// Only one process writes, usherd serve; others may read meanwhile.
class RevocationCache {
 public:
  /// The directory need not exist yet.
  explicit RevocationCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// At most kMaxFetchedLists lists; unreadable ones are left out. Empty if nothing was ever fetched.
  [[nodiscard]] std::vector<CachedList> load() const;
  /// Errors: disk_full, not_permitted, io.
  [[nodiscard]] Result<> keep(const CachedList& list) const;
  /// Removes the files of a URL, if they exist.
  void forget(const std::string& url) const;

 private:
  [[nodiscard]] std::filesystem::path stem_of(const std::string& url) const;
  std::filesystem::path directory_;
};

}  // namespace usher::server
