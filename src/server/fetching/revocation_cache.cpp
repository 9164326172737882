#include "server/fetching/revocation_cache.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "pki/certificate_urls.h"
#include "server/fetching/fetched_file.h"

namespace usher::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxPem = 64 << 10;  // bytes: more than any certificate needs

fs::path with(const fs::path& stem, const char* extension) { return fs::path(stem).concat(extension); }

Result<CachedList> read_one(const fs::path& stem) {
  USHER_TRY(const Bytes url, read_fetched(with(stem, ".url"), pki::kMaxListUrl));
  USHER_TRY(const Bytes pem, read_fetched(with(stem, ".pem"), kMaxPem));
  USHER_TRY(const Bytes der, read_fetched(with(stem, ".crl"), pki::kMaxCrl));
  USHER_TRY(pki::Certificate issuer, pki::Certificate::from_pem(text_of(pem)));
  USHER_TRY(pki::Crl list, pki::Crl::from_der(der));
  return CachedList{.url = std::string(text_of(url)), .issuer = std::move(issuer), .list = std::move(list)};
}

}  // namespace

fs::path RevocationCache::stem_of(const std::string& url) const {
  return directory_ / to_hex(crypto::sha256(view_of(url)));
}

std::vector<CachedList> RevocationCache::load() const {
  std::vector<CachedList> lists;
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".crl" || lists.size() == kMaxFetchedLists) continue;
    auto list = read_one(fs::path(at->path()).replace_extension());
    if (list && stem_of(list->url).filename() == at->path().stem()) lists.push_back(*std::move(list));
  }
  std::ranges::sort(lists, {}, &CachedList::url);
  return lists;
}

Result<> RevocationCache::keep(const CachedList& list) const {
  const fs::path stem = stem_of(list.url);
  USHER_CHECK(write_fetched(with(stem, ".url"), view_of(list.url)));
  USHER_CHECK(write_fetched(with(stem, ".pem"), view_of(list.issuer.to_pem())));
  return write_fetched(with(stem, ".crl"), list.list.der());
}

void RevocationCache::forget(const std::string& url) const {
  for (const char* extension : {".crl", ".pem", ".url"}) {
    std::error_code ignored;
    fs::remove(with(stem_of(url), extension), ignored);
  }
}

}  // namespace usher::server
