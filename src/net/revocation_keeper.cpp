#include "net/revocation_keeper.h"

#include <algorithm>

#include "identity/pointers.h"

namespace usher::net {
namespace {

constexpr std::size_t kThreads = 4;                  // so that a slow server does not keep the others' lists waiting
constexpr std::size_t kMaxBytes = 512 << 20;         // of all lists
constexpr std::size_t kMaxIssuers = 16;              // remembered of one URL
constexpr Milliseconds kClockSkew{300'000};          // by which a list may be ahead
constexpr Milliseconds kAtLeast{1'000};              // between two looks
constexpr Milliseconds kIdle{60'000};                // between two looks at the clock where nothing is due
constexpr Milliseconds kForget{7 * 24 * 3'600'000};  // after a list has expired and could not be renewed
constexpr Milliseconds kHandshake{15'000};           // that a handshake with an older trust store may take
constexpr unsigned kMaxDoublings = 16;

/// DER, as RFC 5280 §4.2.1.13 has it, or PEM, as some servers have it.
Result<identity::Crl> list_of(View content, const std::string& url) {
  auto lists = identity::crls_from_file_content(content);
  if (!lists) return fail(lists.error().fault, "revocation list", url);
  if (lists->size() != 1) return fail(Fault::malformed, "revocation list", url + " holds more than one");
  return std::move(lists->front());
}

/// The authority whose signature the list has. Errors: revocation_unknown.
Result<identity::Certificate> signer_of(const identity::Crl& list, const identity::Chain& issuers,
                                        const std::string& url) {
  for (const identity::Certificate& issuer : issuers) {
    if (list.verify(issuer)) return issuer;
  }
  return fail(Fault::revocation_unknown, "revocation list", url + " holds a list that no authority of the path signed");
}

Result<> check_time(const identity::Crl& list, Time now, const std::string& url) {
  if (list.next_update() <= now) return fail(Fault::crl_expired, "revocation list", url);
  if (list.this_update() > now + kClockSkew) {
    return fail(Fault::revocation_unknown, "revocation list", url + " holds a list that is not in force yet");
  }
  return {};
}

/// Of one URL the list never goes backwards, whatever its scope was before.
Result<> check_newer(const identity::Crl& list, const std::optional<identity::Crl>& before, const std::string& url) {
  if (!before || before->scope() != list.scope() || before->is_delta() != list.is_delta()) return {};
  const bool older = list.number() && before->number() ? *list.number() < *before->number()
                                                       : list.this_update() < before->this_update();
  if (!older) return {};
  return fail(Fault::crl_rollback, "revocation list", url);
}

void add_once(identity::Chain& to, const identity::Chain& certificates) {
  for (const identity::Certificate& one : certificates) {
    if (to.size() < kMaxIssuers && one.is_ca() && std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

}  // namespace

RevocationKeeper::RevocationKeeper(RevocationOptions options, Parts parts)
    : options_(std::move(options)), p_(std::move(parts)) {
  const Time now = p_.clock.now();
  for (CachedList& cached : p_.cache.load()) {
    if (cached.list.next_update() + kForget < now) {
      p_.cache.forget(cached.url);
      continue;
    }
    Source& source = sources_[cached.url];
    source.issuers = {cached.issuer};
    source.next = now + until_next(cached.list);
    source.list = std::move(cached.list);
  }
  for (const std::string& url : options_.urls) sources_[url];
}

RevocationKeeper::~RevocationKeeper() { stop(); }

std::vector<identity::Crl> RevocationKeeper::lists() const {
  const std::scoped_lock lock(mutex_);
  std::vector<identity::Crl> lists;
  for (const auto& [url, source] : sources_) {
    if (source.list) lists.push_back(*source.list);
  }
  return lists;
}

void RevocationKeeper::trust(identity::Chain authorities) {
  const std::scoped_lock lock(mutex_);
  authorities_ = std::move(authorities);
}

/// mutex_ is held.
void RevocationKeeper::add(const std::string& url, const identity::Chain& issuers) {
  const auto found = sources_.find(url);
  if (found == sources_.end()) {
    if (sources_.size() >= kMaxFetchedLists) {
      p_.log.warning("revocation list not fetched", {{"url", url}, {"reason", "there are too many"}});
      return;
    }
    p_.log.info("revocation list wanted", {{"url", url}});
  }
  add_once(sources_[url].issuers, issuers);
}

void RevocationKeeper::keep(const identity::Chain& own) {
  const std::scoped_lock lock(mutex_);
  for (const identity::Certificate& one : own) {
    for (const std::string& url : identity::list_urls(one)) add(url, {});
  }
  wake_.notify_all();
}

bool RevocationKeeper::want(const identity::Chain& path) {
  if (path.empty()) return false;
  const std::scoped_lock lock(mutex_);
  if (threads_.empty()) return false;
  const Time now = p_.clock.now();
  bool coming = false;
  for (const std::string& url : identity::list_urls(path)) {
    add(url, identity::Chain(path.begin() + 1, path.end()));
    const auto found = sources_.find(url);
    if (found == sources_.end()) continue;
    Source& source = found->second;
    // What is in force is not the trouble; what failed is tried again when its time comes, and not for each login.
    const bool lacking = !source.list || source.list->next_update() <= now;
    if (lacking && source.failures == 0) source.next = std::min(source.next, now);
    // Whoever began before it came is judged without it, and is to ask again.
    const bool just_came = !lacking && now < source.arrived + kHandshake;
    coming = coming || source.busy || just_came || (lacking && source.next <= now);
  }
  wake_.notify_all();
  return coming;
}

void RevocationKeeper::start(Publish publish, Metrics& metrics) {
  const std::scoped_lock lock(mutex_);
  publish_ = std::move(publish);
  metrics_ = &metrics;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

void RevocationKeeper::stop() {
  std::vector<std::jthread> threads;
  {
    const std::scoped_lock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::jthread& thread : threads) thread.request_stop();
}

/// The one that is due first, of those that nobody works on; end: none. mutex_ is held.
RevocationKeeper::Sources::iterator RevocationKeeper::first() {
  auto best = sources_.end();
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (!at->second.busy && (best == sources_.end() || at->second.next < best->second.next)) best = at;
  }
  return best;
}

void RevocationKeeper::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] {
    const auto next = first();
    return next != sources_.end() && next->second.next <= p_.clock.now();
  };
  while (!stop.stop_requested()) {
    if (is_due()) {
      work(lock, first()->first, stop);
      continue;
    }
    const auto next = first();
    const Milliseconds wait = next == sources_.end() ? kIdle : std::min(kIdle, next->second.next - p_.clock.now());
    wake_.wait_for(lock, stop, wait, is_due);
  }
}

/// The lock is given back meanwhile. `url` is a key of sources_, from which nothing is ever taken away.
void RevocationKeeper::work(std::unique_lock<std::mutex>& lock, const std::string& url, const std::stop_token& stop) {
  Source& source = sources_.at(url);
  source.busy = true;
  identity::Chain issuers = source.issuers;
  add_once(issuers, authorities_);
  const std::optional<identity::Crl> before = source.list;
  lock.unlock();
  const auto got = get(url, issuers, before, stop);
  lock.lock();
  const bool changed = settle(url, source, got);
  lock.unlock();
  if (changed) {
    // A list that cannot be kept is used all the same.
    if (const auto kept = p_.cache.keep(*got); !kept) {
      p_.log.error("revocation list not kept", {{"url", url}, {"code", code_of(kept.error().fault)}});
    }
    const std::scoped_lock publishing(publishing_);
    publish_(lists());
  }
  lock.lock();
  source.busy = false;
  wake_.notify_all();
}

Result<CachedList> RevocationKeeper::get(const std::string& url, const identity::Chain& issuers,
                                         const std::optional<identity::Crl>& before,
                                         const std::stop_token& stop) const {
  USHER_TRY(const Bytes content, fetch(url, options_.limits, [&] { return stop.stop_requested(); }));
  USHER_TRY(identity::Crl list, list_of(content, url));
  USHER_TRY(identity::Certificate issuer, signer_of(list, issuers, url));
  USHER_CHECK(check_time(list, p_.clock.now(), url));
  USHER_CHECK(check_newer(list, before, url));
  USHER_CHECK(p_.admit(list));
  return CachedList{.url = url, .issuer = std::move(issuer), .list = std::move(list)};
}

/// mutex_ is held.
bool RevocationKeeper::settle(const std::string& url, Source& source, const Result<CachedList>& got) {
  if (!got) {
    refuse(url, source, got.error());
    return false;
  }
  const std::size_t before = source.list ? source.list->der().size() : 0;
  if (bytes_kept() - before + got->list.der().size() > kMaxBytes) {
    refuse(url, source, {Fault::too_long, "revocation list", "all lists together are too large"});
    return false;
  }
  metrics_->list_fetched("ok");
  const bool changed = !source.list || !same(source.list->der(), got->list.der());
  source.failures = 0;
  source.next = p_.clock.now() + until_next(got->list);
  source.list = got->list;
  source.arrived = p_.clock.now();
  p_.log.write(changed ? Level::info : Level::debug, "revocation list fetched",
               {{"url", url}, {"entries", got->list.entries()}, {"delta", got->list.is_delta() ? "yes" : "no"}});
  for (const std::string& more : identity::list_urls(got->list)) add(more, source.issuers);
  if (got->list.is_delta()) hasten_base(got->list);
  return changed;
}

/// A delta that starts from a newer complete list than the one at hand is of no use until that is fetched too. mutex_ is held.
void RevocationKeeper::hasten_base(const identity::Crl& delta) {
  for (auto& [url, source] : sources_) {
    const auto& list = source.list;
    const bool is_base = list && !list->is_delta() && list->scope() == delta.scope() && list->number();
    if (is_base && *list->number() < *delta.base_number()) source.next = std::min(source.next, p_.clock.now());
  }
}

/// mutex_ is held.
void RevocationKeeper::refuse(const std::string& url, Source& source, const Error& error) {
  metrics_->list_fetched(code_of(error.fault));
  const unsigned doublings = std::min(source.failures++, kMaxDoublings);
  const Milliseconds pause = std::min<Milliseconds>(options_.refresh, options_.retry * (1L << doublings));
  source.next = p_.clock.now() + around(pause, 25);
  if (error.fault == Fault::cancelled) return;
  p_.log.warning("revocation list not fetched",
                 {{"url", url}, {"code", code_of(error.fault)}, {"reason", error.about}});
}

/// `time`, or up to `percent` of it more or less, so that servers do not ask all at once.
Milliseconds RevocationKeeper::around(Milliseconds time, unsigned percent) const {
  const auto random = p_.random.array<2>();
  const auto share = static_cast<std::int64_t>(random[0]) << 8 | random[1];  // of 65,536
  const std::int64_t width = time.count() * percent / 100;
  return Milliseconds(time.count() - width + 2 * width * share / 65'536);
}

/// Well before the list ends, so that there is time for failures.
Milliseconds RevocationKeeper::until_next(const identity::Crl& list) const {
  const Milliseconds left = list.next_update() - p_.clock.now();
  return std::max(kAtLeast, around(std::min<Milliseconds>(options_.refresh, left * 3 / 4), 10));
}

std::size_t RevocationKeeper::bytes_kept() const {
  std::size_t bytes = 0;
  for (const auto& [url, source] : sources_) bytes += source.list ? source.list->der().size() : 0;
  return bytes;
}

}  // namespace usher::net
