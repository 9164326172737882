#include "server/fetching/crl_fetcher.h"

#include <algorithm>

#include "pki/certificate_urls.h"
#include "pki/issuers.h"

namespace usher::server {
namespace {

constexpr std::size_t kMaxBytes = 512 << 20;         // of all lists
constexpr std::size_t kMaxIssuers = 16;              // remembered for one URL
constexpr Milliseconds kClockSkew{300'000};          // by which a list's thisUpdate may be in the future
constexpr Milliseconds kYoung{60'000};               // after it was last wanted, a URL is not evicted for so long
constexpr Milliseconds kForget{7 * 24 * 3'600'000};  // an expired list in the cache is deleted after so long

/// Parses a list in DER (RFC 5280 §4.2.1.13), or in PEM, which some servers send.
Result<pki::Crl> list_of(View content, const std::string& url) {
  auto lists = pki::crls_from_file_content(content);
  if (!lists) return fail(lists.error().fault, "revocation list", url);
  if (lists->size() != 1) return fail(Fault::malformed, "revocation list", url + " holds more than one");
  return std::move(lists->front());
}

/// The authority that signed the list. Errors: revocation_unknown.
Result<pki::Certificate> signer_of(const pki::Crl& list, const pki::Chain& issuers, const std::string& url) {
  for (const pki::Certificate& issuer : issuers) {
    if (list.verify(issuer)) return issuer;
  }
  return fail(Fault::revocation_unknown, "revocation list", url + " holds a list that no authority of the path signed");
}

Result<> check_time(const pki::Crl& list, Time now, const std::string& url) {
  if (list.next_update() <= now) return fail(Fault::crl_expired, "revocation list", url);
  if (list.this_update() > now + kClockSkew) {
    return fail(Fault::revocation_unknown, "revocation list", url + " holds a list that is not in force yet");
  }
  return {};
}

/// A URL's list must not be older than the list before it, if both have the same scope and kind (complete or delta).
Result<> check_newer(const pki::Crl& list, const std::optional<pki::Crl>& before, const std::string& url) {
  if (!before || before->scope() != list.scope() || before->is_delta() != list.is_delta()) return {};
  const bool older = list.number() && before->number() ? *list.number() < *before->number()
                                                       : list.this_update() < before->this_update();
  if (!older) return {};
  return fail(Fault::crl_rollback, "revocation list", url);
}

void add_once(pki::Chain& to, const pki::Chain& certificates) {
  for (const pki::Certificate& one : certificates) {
    if (to.size() < kMaxIssuers && one.may_certify() && std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

}  // namespace

CrlFetcher::CrlFetcher(RevocationOptions options, Parts parts)
    : options_(std::move(options)), p_(std::move(parts)), refresher_(options_.refreshing, p_.clock, p_.random) {
  const Time now = p_.clock.now();
  for (CachedList& cached : p_.cache.load()) {
    if (cached.list.next_update() + kForget < now) {
      p_.cache.forget(cached.url);
      continue;
    }
    Source& source = sources_[cached.url];
    source.issuers = {cached.issuer};
    refresher_.add(cached.url, cached.list.next_update());
    source.list = std::move(cached.list);
  }
  for (const std::string& url : options_.urls) {
    sources_[url].pinned = true;
    refresher_.add(url);
  }
}

CrlFetcher::~CrlFetcher() { stop(); }

std::vector<pki::Crl> CrlFetcher::lists() const {
  const std::scoped_lock lock(mutex_);
  std::vector<pki::Crl> lists;
  for (const auto& [url, source] : sources_) {
    if (source.list) lists.push_back(*source.list);
  }
  return lists;
}

void CrlFetcher::trust(pki::Chain authorities) {
  const std::scoped_lock lock(mutex_);
  authorities_ = std::move(authorities);
}

/// Evicts the least recently wanted URL; URLs without a valid list go first. An evicted list is fetched again when it
/// is wanted. mutex_ is held.
bool CrlFetcher::make_room() {
  const Time now = p_.clock.now();
  const auto worth = [now](const Source& source) {
    return std::pair(source.list && source.list->next_update() > now, source.wanted);
  };
  std::vector<Sources::iterator> candidates;
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (!at->second.pinned && at->second.wanted + kYoung <= now) candidates.push_back(at);
  }
  std::ranges::stable_sort(candidates, {}, [&](const auto& at) { return worth(at->second); });
  // A URL that is being fetched stays: its server decides how long that takes.
  const auto least = std::ranges::find_if(candidates, [&](const auto& at) { return refresher_.forget(at->first); });
  if (least == candidates.end()) return false;
  const std::string url = (*least)->first;
  p_.log.info("revocation list forgotten", {{"url", url}, {"reason", "there are too many"}});
  p_.cache.forget(url);
  sources_.erase(*least);
  return true;
}

/// Adds a URL, unless it is known. True if it is among the sources now. mutex_ is held.
bool CrlFetcher::add(const std::string& url, const pki::Chain& issuers) {
  if (!sources_.contains(url)) {
    if (sources_.size() >= kMaxFetchedLists && !make_room()) {
      p_.log.warning("revocation list not fetched", {{"url", url}, {"reason", "there are too many"}});
      return false;
    }
    p_.log.info("revocation list wanted", {{"url", url}});
  }
  Source& source = sources_[url];
  source.wanted = p_.clock.now();
  add_once(source.issuers, issuers);
  refresher_.add(url);
  return true;
}

void CrlFetcher::keep(const pki::Chain& own) {
  const std::scoped_lock lock(mutex_);
  for (const pki::Certificate& one : own) {
    for (const std::string& url : pki::list_urls(one)) {
      if (add(url, {})) sources_[url].pinned = true;
    }
  }
}

bool CrlFetcher::may_bring(const pki::Certificate& authority, const pki::Chain& certificates) const {
  const std::scoped_lock lock(mutex_);
  const bool looked_for = std::ranges::any_of(sources_, [&](const auto& entry) {
    const auto& [url, source] = entry;
    if (source.list || refresher_.has_failed(url)) return false;
    return source.issuers.empty() || std::ranges::find(source.issuers, authority) != source.issuers.end();
  });
  return looked_for || std::ranges::any_of(certificates, [&](const pki::Certificate& one) {
           const auto urls = pki::list_urls(one);
           const auto is_new = [&](const std::string& url) { return !sources_.contains(url); };
           return std::ranges::any_of(urls, is_new) && pki::has_issued(authority, one);
         });
}

bool CrlFetcher::want(const pki::Chain& path) {
  if (path.empty()) return false;
  const std::scoped_lock lock(mutex_);
  const Time now = p_.clock.now();
  bool coming = false;     // a lacking list is being fetched
  bool just_came = false;  // a list that is in force has just arrived
  bool in_vain = false;    // fetching a lacking list has failed
  for (const std::string& url : pki::list_urls(path)) {
    if (!add(url, pki::Chain(path.begin() + 1, path.end()))) continue;
    // A list that is in force is not lacking.
    const auto& list = sources_[url].list;
    const bool lacking = !list || list->next_update() <= now;
    const bool again = refresher_.want(url, lacking);
    coming = coming || (lacking && again);
    just_came = just_came || (!lacking && again);
    in_vain = in_vain || (lacking && refresher_.has_failed(url));
  }
  // A list that has just arrived is no reason to retry if another list cannot be fetched.
  return coming || (just_came && !in_vain);
}

void CrlFetcher::start(Publish publish, Metrics& metrics) {
  publish_ = std::move(publish);
  metrics_ = &metrics;
  refresher_.start([this](const std::string& url, const std::stop_token& stop) { return refresh(url, stop); });
}

void CrlFetcher::publish_again() {
  const std::scoped_lock publishing(publishing_);
  publish_(lists());
}

Result<Time> CrlFetcher::refresh(const std::string& url, const std::stop_token& stop) {
  const auto got = get(url, stop);
  const auto changed = got ? settle(*got) : Result<bool>(std::unexpected(got.error()));
  if (!changed) {
    refuse(url, changed.error());
    return std::unexpected(changed.error());
  }
  if (*changed) {
    // A list that cannot be written to the cache is used nevertheless.
    if (const auto kept = p_.cache.keep(*got); !kept) {
      p_.log.error("revocation list not kept", {{"url", url}, {"code", code_of(kept.error().fault)}});
    }
    publish_again();
  }
  return got->list.next_update();
}

Result<CachedList> CrlFetcher::get(const std::string& url, const std::stop_token& stop) const {
  Source source;
  {
    const std::scoped_lock lock(mutex_);
    source = sources_.at(url);
    add_once(source.issuers, authorities_);
  }
  USHER_TRY(const Bytes content, fetch(url, options_.limits, [&] { return stop.stop_requested(); }));
  USHER_TRY(pki::Crl list, list_of(content, url));
  USHER_TRY(pki::Certificate issuer, signer_of(list, source.issuers, url));
  USHER_CHECK(check_time(list, p_.clock.now(), url));
  USHER_CHECK(check_newer(list, source.list, url));
  USHER_CHECK(p_.admit(list));
  return CachedList{.url = url, .issuer = std::move(issuer), .list = std::move(list)};
}

Result<bool> CrlFetcher::settle(const CachedList& got) {
  const std::scoped_lock lock(mutex_);
  Source& source = sources_.at(got.url);
  const std::size_t before = source.list ? source.list->der().size() : 0;
  if (bytes_kept() - before + got.list.der().size() > kMaxBytes) {
    return fail(Fault::too_long, "revocation list", "all lists together are too large");
  }
  metrics_->fetched("ok");
  const bool changed = !source.list || !same(source.list->der(), got.list.der());
  source.list = got.list;
  p_.log.write(changed ? Level::info : Level::debug, "revocation list fetched",
               {{"url", got.url}, {"entries", got.list.entries()}, {"delta", got.list.is_delta() ? "yes" : "no"}});
  const pki::Chain issuers = source.issuers;
  for (const std::string& more : pki::list_urls(got.list)) static_cast<void>(add(more, issuers));
  if (got.list.is_delta()) hasten_base(got.list);
  return changed;
}

/// If a delta needs a newer complete list than the current one, it is useless until that list is fetched: hastens the
/// fetch. mutex_ is held.
void CrlFetcher::hasten_base(const pki::Crl& delta) {
  for (const auto& [url, source] : sources_) {
    const auto& list = source.list;
    const bool is_base = list && !list->is_delta() && list->scope() == delta.scope() && list->number();
    if (is_base && *list->number() < *delta.base_number()) refresher_.hasten(url);
  }
}

void CrlFetcher::refuse(const std::string& url, const Error& error) {
  metrics_->fetched(code_of(error.fault));
  if (error.fault == Fault::cancelled) return;
  p_.log.warning("revocation list not fetched",
                 {{"url", url}, {"code", code_of(error.fault)}, {"reason", error.about}});
}

/// mutex_ is held.
std::size_t CrlFetcher::bytes_kept() const {
  std::size_t bytes = 0;
  for (const auto& [url, source] : sources_) bytes += source.list ? source.list->der().size() : 0;
  return bytes;
}

}  // namespace usher::server
