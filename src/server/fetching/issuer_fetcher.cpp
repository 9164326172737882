#include "server/fetching/issuer_fetcher.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "pki/certificate_urls.h"
#include "server/fetching/fetched_file.h"

namespace usher::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxUrls = 64;
constexpr Milliseconds kYoung{60'000};  // after it was last wanted, a URL is not evicted for so long
constexpr const char* kExtension = ".issuers";

/// Errors: too_long; malformed, also if the content has no authority's certificate.
Result<pki::Chain> authorities_in(View content) {
  USHER_TRY(pki::Chain held, pki::issuers_from_content(content));
  std::erase_if(held, [](const pki::Certificate& one) { return !one.may_certify(); });
  if (held.empty()) return fail(Fault::malformed, "issuers", "no authority's certificate is there");
  return held;
}

bool begins_with_one_of(std::string_view url, const std::vector<std::string>& allowed) {
  return std::ranges::any_of(allowed, [&](const std::string& prefix) { return url.starts_with(prefix); });
}

/// Keeps the newest `most` files. An earlier process may have left files of other URLs.
void remove_all_but(const fs::path& directory, std::size_t most) {
  std::vector<fs::directory_entry> files;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == kExtension) files.push_back(*at);
  }
  std::ranges::sort(files, std::ranges::greater(), [](const fs::directory_entry& file) {
    std::error_code ignored;
    return file.last_write_time(ignored);
  });
  for (std::size_t i = most; i < files.size(); ++i) fs::remove(files[i], error);
}

}  // namespace

IssuerFetcher::IssuerFetcher(IssuerOptions options, Parts parts)
    : options_(std::move(options)), p_(parts), refresher_(options_.refreshing, p_.clock, p_.random) {
  remove_all_but(options_.directory, kMaxUrls);
}

fs::path IssuerFetcher::file_of(const std::string& url) const {
  return options_.directory / (to_hex(crypto::sha256(view_of(url))) + kExtension);
}

/// Evicts the least recently wanted URL; URLs whose last fetch failed go first. A URL that was wanted less than kYoung
/// ago stays, so certificates with new URLs evict at most kMaxUrls a minute. mutex_ is held.
bool IssuerFetcher::make_room() {
  const Time now = p_.clock.now();
  std::vector<Sources::iterator> candidates;
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (at->second.wanted + kYoung < now) candidates.push_back(at);
  }
  std::ranges::stable_sort(candidates, {}, [this](const auto& at) {
    return std::pair(!refresher_.has_failed(at->first), at->second.wanted);
  });
  // A URL that is being fetched stays: its server decides how long that takes.
  const auto least = std::ranges::find_if(candidates, [&](const auto& at) { return refresher_.forget(at->first); });
  if (least == candidates.end()) return false;
  std::error_code ignored;
  fs::remove(file_of((*least)->first), ignored);
  sources_.erase(*least);
  return true;
}

/// mutex_ is held.
IssuerFetcher::Source* IssuerFetcher::source_of(const std::string& url) {
  if (const auto known = sources_.find(url); known != sources_.end()) {
    known->second.wanted = p_.clock.now();
    return &known->second;
  }
  if (sources_.size() >= kMaxUrls && !make_room()) {
    p_.log.debug("authority not fetched", {{"url", url}, {"reason", "there are too many"}});
    return nullptr;
  }
  p_.log.debug("authority wanted", {{"url", url}});
  Source& source = sources_[url];
  source.wanted = p_.clock.now();
  if (const auto kept = read_fetched(file_of(url), pki::kMaxIssuersContent)) {
    source.held = authorities_in(*kept).value_or(pki::Chain{});
  }
  return &source;
}

pki::FoundIssuers IssuerFetcher::find(const pki::Certificate& certificate, const std::vector<std::string>& allowed) {
  const std::scoped_lock lock(mutex_);
  const Time now = p_.clock.now();
  pki::FoundIssuers found;
  bool is_coming = false;
  for (const std::string& url : pki::issuer_urls(certificate)) {
    Source* source = begins_with_one_of(url, allowed) ? source_of(url) : nullptr;
    if (source == nullptr) continue;
    // A URL is fetched again at intervals, not on every call.
    const bool lacking = source->fetched + options_.refreshing.refresh <= now;
    const bool comes = refresher_.want(url, lacking);
    is_coming = is_coming || (comes && lacking);
    std::ranges::copy_if(source->held, std::back_inserter(found.certificates), [&](const pki::Certificate& one) {
      return one.not_before() <= now && now < one.not_after() && pki::has_issued(one, certificate);
    });
  }
  found.coming = is_coming && found.certificates.empty();
  return found;
}

void IssuerFetcher::start(Metrics& metrics) {
  metrics_ = &metrics;
  refresher_.start([this](const std::string& url, const std::stop_token& stop) { return refresh(url, stop); });
}

Result<Time> IssuerFetcher::refresh(const std::string& url, const std::stop_token& stop) {
  auto got = get(url, stop);
  metrics_->fetched(got ? "ok" : code_of(got.error().fault));
  if (!got) {
    if (got.error().fault != Fault::cancelled) {
      p_.log.warning("authority not fetched",
                     {{"url", url}, {"code", code_of(got.error().fault)}, {"reason", got.error().about}});
    }
    return std::unexpected(got.error());
  }
  p_.log.info("authority fetched", {{"url", url}});
  const std::scoped_lock lock(mutex_);
  Source& source = sources_.at(url);
  source.held = *std::move(got);
  source.fetched = p_.clock.now();
  return Time::max();
}

Result<pki::Chain> IssuerFetcher::get(const std::string& url, const std::stop_token& stop) const {
  FetchLimits limits = options_.limits;
  limits.bytes = pki::kMaxIssuersContent;
  USHER_TRY(const Bytes content, fetch(url, limits, [&] { return stop.stop_requested(); }));
  USHER_TRY(pki::Chain held, authorities_in(content));
  if (const auto kept = write_fetched(file_of(url), content); !kept) {
    p_.log.error("authority not kept", {{"code", code_of(kept.error().fault)}});
  }
  return held;
}

}  // namespace usher::server
