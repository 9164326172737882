#include "net/issuer_keeper.h"

#include <algorithm>

#include "base/encoding.h"
#include "identity/pointers.h"
#include "net/fetched_file.h"

namespace usher::net {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxIssuers = 256;
constexpr std::size_t kMaxUrls = 64;
constexpr std::size_t kMaxWantedBy = 4;    // certificates that are remembered of one URL
constexpr std::size_t kMaxPem = 64 << 10;  // bytes of one certificate, with room

identity::Chain load(const fs::path& directory, Time now) {
  identity::Chain all;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".pem" || all.size() == kMaxIssuers) continue;
    const auto pem = read_fetched(at->path(), kMaxPem);
    auto one = pem ? identity::Certificate::from_pem(text_of(*pem)) : fail(Fault::malformed, "issuers");
    if (one && one->not_after() > now) {
      all.push_back(*std::move(one));
    } else {
      std::error_code ignored;
      fs::remove(at->path(), ignored);
    }
  }
  return all;
}

bool begins_with_one_of(std::string_view url, const std::vector<std::string>& allowed) {
  return std::ranges::any_of(allowed, [&](const std::string& prefix) { return url.starts_with(prefix); });
}

}  // namespace

IssuerKeeper::IssuerKeeper(IssuerOptions options, Parts parts)
    : options_(std::move(options)),
      p_(parts),
      issuers_(load(options_.directory, p_.clock.now())),
      refresher_(options_.refreshing, p_.clock, p_.random) {}

/// Of so many, one that led nowhere makes room. mutex_ is held.
IssuerKeeper::Source* IssuerKeeper::source_of(const std::string& url) {
  if (const auto known = sources_.find(url); known != sources_.end()) return &known->second;
  if (sources_.size() >= kMaxUrls) {
    const auto useless = std::ranges::find_if(
        sources_, [&](const auto& one) { return refresher_.has_failed(one.first) && refresher_.forget(one.first); });
    if (useless == sources_.end()) {
      p_.log.warning("authority not fetched", {{"url", url}, {"reason", "there are too many"}});
      return nullptr;
    }
    sources_.erase(useless);
  }
  p_.log.info("authority wanted", {{"url", url}});
  return &sources_[url];
}

identity::FoundIssuer IssuerKeeper::find(const identity::Certificate& certificate,
                                         const std::vector<std::string>& allowed) {
  const std::scoped_lock lock(mutex_);
  const auto known = std::ranges::find_if(
      issuers_, [&](const identity::Certificate& one) { return identity::has_issued(one, certificate); });
  if (known != issuers_.end()) return {.certificate = *known};
  const Time now = p_.clock.now();
  identity::FoundIssuer found;
  for (const std::string& url : identity::issuer_urls(certificate)) {
    Source* source = begins_with_one_of(url, allowed) ? source_of(url) : nullptr;
    if (source == nullptr) continue;
    const bool is_new = std::ranges::find(source->wanted_by, certificate) == source->wanted_by.end();
    if (is_new && source->wanted_by.size() == kMaxWantedBy) source->wanted_by.erase(source->wanted_by.begin());
    if (is_new) source->wanted_by.push_back(certificate);
    // What is behind it is looked at again now and then, and not for everybody who asks.
    const bool is_coming = refresher_.want(url, source->fetched + options_.refreshing.refresh <= now);
    found.coming = found.coming || is_coming;
  }
  return found;
}

void IssuerKeeper::start(Metrics& metrics) {
  metrics_ = &metrics;
  refresher_.start([this](const std::string& url, const std::stop_token& stop) { return refresh(url, stop); });
}

Result<Time> IssuerKeeper::refresh(const std::string& url, const std::stop_token& stop) {
  const auto got = get(url, stop);
  metrics_->fetched(got ? "ok" : code_of(got.error().fault));
  if (!got) {
    if (got.error().fault != Fault::cancelled) {
      p_.log.warning("authority not fetched",
                     {{"url", url}, {"code", code_of(got.error().fault)}, {"reason", got.error().about}});
    }
    return std::unexpected(got.error());
  }
  const std::scoped_lock lock(mutex_);
  for (const identity::Certificate& authority : *got) keep(authority);
  Source& source = sources_.at(url);
  source.fetched = p_.clock.now();
  source.wanted_by.clear();
  p_.log.info("authority fetched", {{"url", url}});
  return Time::max();
}

/// Those that issued who points to them. Errors: those of fetch; malformed; untrusted.
Result<identity::Chain> IssuerKeeper::get(const std::string& url, const std::stop_token& stop) const {
  FetchLimits limits = options_.limits;
  limits.bytes = identity::kMaxIssuersContent;
  USHER_TRY(const Bytes content, fetch(url, limits, [&] { return stop.stop_requested(); }));
  USHER_TRY(const identity::Chain held, identity::issuers_from_content(content));
  const std::scoped_lock lock(mutex_);
  const identity::Chain& wanted_by = sources_.at(url).wanted_by;
  identity::Chain issuers;
  std::ranges::copy_if(held, std::back_inserter(issuers), [&](const identity::Certificate& one) {
    return std::ranges::any_of(wanted_by,
                               [&](const identity::Certificate& below) { return identity::has_issued(one, below); });
  });
  if (issuers.empty()) {
    return fail(Fault::untrusted, "authority", url + " holds none that issued the certificate which points to it");
  }
  return issuers;
}

/// mutex_ is held.
void IssuerKeeper::keep(const identity::Certificate& authority) {
  if (std::ranges::find(issuers_, authority) != issuers_.end()) return;
  if (issuers_.size() == kMaxIssuers) issuers_.erase(issuers_.begin());
  issuers_.push_back(authority);
  const auto kept =
      write_fetched(options_.directory / (to_hex(authority.fingerprint()) + ".pem"), view_of(authority.to_pem()));
  if (!kept) p_.log.error("authority not kept", {{"code", code_of(kept.error().fault)}});
}

}  // namespace usher::net
