// net/revocation_cache: revocation lists that were fetched, on disk.  Spec: identity.md §11.4.
//
//     <directory>/<SHA-256 of the URL, hex>.url    the URL
//     <directory>/<the same>.pem                   the authority whose signature the list has
//     <directory>/<the same>.crl                   the list, DER; written last
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "identity/certificate.h"
#include "identity/crl.h"

namespace usher::net {

inline constexpr std::size_t kMaxFetchedLists = 256;

struct CachedList {
  std::string url;
  identity::Certificate issuer;
  identity::Crl list;
};

/// One process writes at a time: usherd serve; others may read.
class RevocationCache {
 public:
  /// The directory need not be there yet.
  explicit RevocationCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// At most kMaxFetchedLists; what cannot be read is left out. None: nothing was ever fetched.
  [[nodiscard]] std::vector<CachedList> load() const;
  /// Errors: disk_full, not_permitted, io.
  [[nodiscard]] Result<> keep(const CachedList& list) const;
  /// What is not there is forgotten already.
  void forget(const std::string& url) const;

 private:
  [[nodiscard]] std::filesystem::path stem_of(const std::string& url) const;
  std::filesystem::path directory_;
};

}  // namespace usher::net
