#include "server/server.h"

#include <atomic>
#include <map>
#include <thread>

#include "base/encoding.h"
#include "server/http/media_channel.h"
#include "server/http/router.h"
#include "server/operator_listener.h"
#include "server/runtime/runtime.h"
#include "server/runtime/workers.h"
#include "server/trust/served_lists.h"

namespace usher::server {
namespace {

constexpr Milliseconds kSweep{1'000};
constexpr Milliseconds kExpirePlays{30'000};
constexpr Milliseconds kForget{3'600'000};
constexpr Milliseconds kLookAtEndings{60'000};
constexpr Milliseconds kWarnAgain{24 * 3'600'000};
constexpr Milliseconds kDrainStep{20};
constexpr std::size_t kJobs = 1'024;  // requests that run or wait; further ones get server-busy
constexpr unsigned kPageWorkers = 2;
constexpr std::size_t kHousekeeping = 64;

/// More threads than processors, because some may wait for a token or a disk.
unsigned worker_threads(unsigned wanted) {
  return wanted != 0 ? wanted : std::max(4U, 2 * std::thread::hardware_concurrency());
}

HttpEvents events_for(const std::string& listener, Metrics& metrics) {
  HttpEvents events;
  events.connections = [listener, &metrics](std::size_t open) { metrics.connections_open(listener, open); };
  events.refused = [listener, &metrics](std::string_view reason) { metrics.http_refused(listener, reason); };
  return events;
}

/// Host names that the operator's listener accepts: its bound addresses, and the usual names of this machine.
std::vector<std::string> operator_names(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  for (const Endpoint& endpoint : endpoints) names.push_back(endpoint.host);
  return names;
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions options_, Parts parts, ServerSnapshot snapshot);

  void ended(const LiveSession& session, std::string_view reason);
  /// Puts `now` in force, and ends the sessions that would no longer be accepted.
  void install(std::shared_ptr<const Authorities> now);
  void use_fetched_lists();
  void sweep();
  void expire_plays();
  void forget();
  /// Runs `task` once per period on the housekeeping worker. Skips a run if the previous one has not ended.
  void now_and_then(Milliseconds period, std::function<void()> task);
  [[nodiscard]] std::vector<std::string> not_ready();
  [[nodiscard]] LoginGaps gaps() const;
  void show_expiries();
  void tell_endings();
  void tell_gaps() const;

  ServerOptions options;
  Parts p;
  Metrics metrics;
  Guarded<Authorities> authorities;
  Guarded<channel::ServerSettings> channel_settings;
  Guarded<service::ServicePolicy> policy;
  Guarded<Expiries> expiries;
  Guarded<Bytes> served_lists;  // revocation lists for listeners
  std::mutex installing;
  Expiries certificates;  // expiries in addition to those of the trust stores; guarded by `installing`
  std::mutex telling;
  std::map<std::string, Time> told;  // when each ending was last logged; guarded by `telling`
  HostNames names;
  HostNames operator_host_names;
  SessionTable sessions;
  service::MediaService media;
  Router router;
  ChannelDriver driver;
  MediaChannel channel;
  OperatorListener operators;
  std::atomic<bool> draining = false;
  std::vector<Endpoint> bound;
  std::vector<Endpoint> operator_bound;
  Runtime runtime;
  Workers workers;       // for listeners' requests
  Workers pages;         // for the operator's requests: /readyz may wait for a token
  Workers housekeeping;  // for periodic tasks
  HttpServer media_http;
  HttpServer operator_http;
  std::optional<FileStream> files;
};

Server::Impl::Impl(ServerOptions options_, Parts parts, ServerSnapshot snapshot)
    : options(std::move(options_)),
      p(std::move(parts)),
      authorities(snapshot.authorities),
      channel_settings(snapshot.authorities->channel),
      policy(snapshot.policy),
      expiries(std::make_shared<const Expiries>()),
      served_lists(std::make_shared<const Bytes>(revocation_lists(*snapshot.authorities, p.clock.now()))),
      certificates(std::move(snapshot.expiries)),
      names(std::move(snapshot.names)),
      operator_host_names(operator_names(options.operator_listen)),
      sessions(options.sessions,
               [this](const LiveSession& session, std::string_view reason) { ended(session, reason); }),
      media(
          {.store = p.store,
           .vault = p.vault,
           .issuer = p.issuer,
           .random = p.random,
           .policy = policy,
           .unreadable =
               [this](const Id128& id, const Error& why) {
                 p.log.error(
                     "medium unreadable",
                     {{"medium", to_hex(id)}, {"code", code_of(why.fault)}, {"step", why.where}, {"about", why.about}});
               }}),
      router({.media = media,
              .store = p.store,
              .sessions = sessions,
              .authorities = authorities,
              .pseudonyms = p.pseudonyms,
              .clock = p.clock,
              .log = p.log,
              .metrics = metrics}),
      driver({.sessions = sessions,
              .router = router,
              .settings = channel_settings,
              .clock = p.clock,
              .random = p.random,
              .log = p.log,
              .metrics = metrics}),
      channel(driver, served_lists, metrics, p.log),
      operators(metrics, [this] { return not_ready(); }),
      runtime(0),
      workers({.threads = worker_threads(options.threads), .jobs = kJobs, .jobs_of_one = kJobs}),
      pages({.threads = kPageWorkers, .jobs = kHousekeeping, .jobs_of_one = kHousekeeping}),
      housekeeping({.threads = 1, .jobs = kHousekeeping, .jobs_of_one = kHousekeeping}),
      media_http(runtime, workers, channel, names, p.log, options.http, events_for("media", metrics)),
      operator_http(runtime, pages, operators, operator_host_names, p.log, options.http,
                    events_for("operator", metrics)) {
  if (options.files && snapshot.files) {
    files.emplace(*options.files,
                  FileStream::Parts{.clock = p.clock, .random = p.random, .log = p.log, .metrics = metrics},
                  *std::move(snapshot.files));
  }
  show_expiries();
  if (p.fetchers != nullptr) p.fetchers->lists.trust(all_authorities(*snapshot.authorities));
}

void Server::Impl::ended(const LiveSession& session, std::string_view reason) {
  metrics.session_ended(reason);
  p.log.info("session ended", {{"session", session_prefix(session.channel().id())}, {"reason", reason}});
}

void Server::Impl::sweep() {
  sessions.sweep(p.clock.now());
  metrics.sessions(sessions.open_sessions(), sessions.half_open());
}

void Server::Impl::expire_plays() {
  const auto expired = p.store.expire_plays(p.clock.now());
  if (!expired) {
    p.log.error("plays not expired", {{"code", code_of(expired.error().fault)}, {"about", expired.error().about}});
  } else if (*expired > 0) {
    p.log.info("plays expired", {{"count", *expired}});
  }
  if (const auto media_page = p.store.list_media({.offset = 0, .count = 1})) metrics.media(media_page->total);
}

void Server::Impl::forget() {
  const auto forgotten = p.store.forget_operations(p.clock.now() - options.keep_operations);
  if (!forgotten) p.log.error("operations not forgotten", {{"code", code_of(forgotten.error().fault)}});
}

void Server::Impl::now_and_then(Milliseconds period, std::function<void()> task) {
  const auto running = std::make_shared<std::atomic<bool>>(false);
  runtime.every(period, [this, running, task = std::move(task)] {
    if (running->exchange(true)) return;
    const auto queued = housekeeping.run("", [running, task] {
      task();
      *running = false;
      return false;
    });
    if (!queued) *running = false;
  });
}

std::vector<std::string> Server::Impl::not_ready() {
  std::vector<std::string> reasons;
  if (draining) reasons.emplace_back("draining");
  if (const auto version = p.store.schema_version(); !version) reasons.emplace_back("the store cannot be read");
  const Time now = p.clock.now();
  for (const Expiry& end : *expiries.get()) {
    if (end.stops && end.when <= now) reasons.push_back(warning_of(end, now));
  }
  for (const Error& gap : gaps().none) reasons.push_back(gap_text(gap));
  if (p.not_ready) {
    for (std::string& reason : p.not_ready()) reasons.push_back(std::move(reason));
  }
  return reasons;
}

LoginGaps Server::Impl::gaps() const {
  const auto current = authorities.get();
  pki::Chain known = all_authorities(*current);
  known.insert(known.end(), current->channel->chain.begin(), current->channel->chain.end());
  MayFetch may_fetch;
  if (p.fetchers != nullptr) {
    may_fetch = [&](const pki::Certificate& one) { return p.fetchers->lists.may_bring(one, known); };
  }
  return login_gaps(*current, p.clock.now(), may_fetch);
}

void Server::Impl::tell_gaps() const {
  const LoginGaps found = gaps();
  for (const Error& gap : found.none) p.log.error("no login is possible", {{"reason", gap_text(gap)}});
  for (const Error& gap : found.some) p.log.warning("some logins are not possible", {{"reason", gap_text(gap)}});
}

/// Logs each expiry that is near or has passed, once a day, and updates the metrics of all.
void Server::Impl::tell_endings() {
  const std::scoped_lock lock(telling);
  const Time now = p.clock.now();
  std::vector<Metrics::Ending> shown;
  for (const Expiry& end : *expiries.get()) {
    const std::string warning = warning_of(end, now);
    shown.push_back({.what = end.what, .when = end.when, .soon = !warning.empty()});
    if (warning.empty()) {
      told.erase(end.what);
      continue;
    }
    const auto [last, first] = told.try_emplace(end.what, now);
    if (!first && now - last->second < kWarnAgain) continue;
    last->second = now;
    p.log.warning("renew in time", {{"what", end.what}, {"ends", unix_seconds(end.when)}, {"reason", warning}});
  }
  metrics.endings(shown);
}

/// `installing` is held, or the server is still being constructed.
void Server::Impl::show_expiries() {
  Expiries ends = certificates;
  for (Expiry& end : trust_expiries(*authorities.get(), p.clock.now())) ends.push_back(std::move(end));
  expiries.set(std::make_shared<const Expiries>(std::move(ends)));
  tell_endings();
}

/// `installing` is held.
void Server::Impl::install(std::shared_ptr<const Authorities> next) {
  authorities.set(next);
  channel_settings.set(next->channel);
  sessions.renew_trust();  // from now on new sessions are judged by `next`; existing sessions are checked below
  served_lists.set(std::make_shared<const Bytes>(revocation_lists(*next, p.clock.now())));
  show_expiries();
  const Time now = p.clock.now();
  sessions.end_where(
      [&](const LiveSession& session) {
        const auto still = still_trusted(session, *next, now);
        if (!still) {
          p.log.info("session no longer trusted",
                     {{"session", session_prefix(session.channel().id())}, {"code", code_of(still.error().fault)}});
        }
        return !still;
      },
      "revoked");
}

/// Takes the fetcher's current lists, not the published ones: a reload may have put newer ones in force.
void Server::Impl::use_fetched_lists() {
  const std::scoped_lock lock(installing);
  auto next = with_fetched(*authorities.get(), p.fetchers->lists.lists());
  if (!next) {
    p.log.error("revocation lists not in use", {{"code", code_of(next.error().fault)}, {"about", next.error().about}});
    return;
  }
  if (files) files->trust((*next)->channel->clients);
  install(*std::move(next));
}

Server::Server(ServerOptions options, Parts parts, ServerSnapshot snapshot)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parts), std::move(snapshot))) {}

Server::~Server() { stop(); }

Result<> Server::start() {
  Impl& s = *impl_;
  USHER_TRY(s.bound, s.media_http.listen(s.options.listen));
  if (!s.options.operator_listen.empty()) {
    USHER_TRY(s.operator_bound, s.operator_http.listen(s.options.operator_listen));
  }
  if (s.files) USHER_CHECK(s.files->start());
  s.expire_plays();
  s.runtime.every(kSweep, [&s] { s.sweep(); });
  s.now_and_then(kExpirePlays, [&s] { s.expire_plays(); });
  s.now_and_then(kForget, [&s] { s.forget(); });
  s.now_and_then(kLookAtEndings, [&s] { s.tell_endings(); });
  s.runtime.start();
  if (s.p.fetchers != nullptr) {
    s.p.fetchers->lists.keep(s.authorities.get()->channel->chain);
    s.p.fetchers->start([&s](const std::vector<pki::Crl>&) { s.use_fetched_lists(); }, s.metrics);
  }
  s.tell_gaps();
  return {};
}

const std::vector<Endpoint>& Server::endpoints() const noexcept { return impl_->bound; }
const std::vector<Endpoint>& Server::file_endpoints() const noexcept {
  static const std::vector<Endpoint> kNone;
  return impl_->files ? impl_->files->endpoints() : kNone;
}
const std::vector<Endpoint>& Server::operator_endpoints() const noexcept { return impl_->operator_bound; }

Result<> Server::start_files(const FileStreamOptions& options, const ServerSnapshot& snapshot) {
  Impl& s = *impl_;
  const std::scoped_lock lock(s.installing);
  if (s.files || !snapshot.files) return {};
  s.files.emplace(options, FileStream::Parts{s.p.clock, s.p.random, s.p.log, s.metrics}, *snapshot.files);
  auto started = s.files->start();
  if (!started) s.files.reset();
  return started;
}

void Server::reload(ServerSnapshot snapshot) {
  Impl& s = *impl_;
  const std::scoped_lock lock(s.installing);
  s.policy.set(snapshot.policy);
  s.names.set(std::move(snapshot.names));
  s.certificates = std::move(snapshot.expiries);
  std::shared_ptr<const Authorities> next = snapshot.authorities;
  if (s.p.fetchers != nullptr) {
    s.p.fetchers->lists.trust(all_authorities(*next));
    // Newer lists may have been fetched since the snapshot was read.
    if (auto newest = with_fetched(*next, s.p.fetchers->lists.lists())) next = *std::move(newest);
  }
  if (snapshot.files) snapshot.files->clients = next->channel->clients;
  if (s.files && snapshot.files) {
    s.files->reload(*std::move(snapshot.files));
  } else if (s.files) {
    s.files->share_nothing(next->channel->clients);
  }
  s.install(std::move(next));
  s.tell_gaps();
  s.metrics.reload(true, s.p.clock.now());
}

void Server::note_refused_reload() { impl_->metrics.reload(false, impl_->p.clock.now()); }

bool Server::drain(Milliseconds patience) {
  impl_->draining = true;
  impl_->media_http.drain();
  if (impl_->files) impl_->files->drain();
  const auto drained = [this] { return impl_->media_http.drained() && (!impl_->files || impl_->files->drained()); };
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!drained() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kDrainStep);
  }
  const bool all = drained();
  impl_->operator_http.drain();
  return all;
}

void Server::stop() {
  if (impl_->p.fetchers != nullptr) impl_->p.fetchers->stop();
  if (impl_->files) impl_->files->stop();
  impl_->runtime.stop();
  impl_->workers.stop();
  impl_->pages.stop();
  impl_->housekeeping.stop();
}

}  // namespace usher::server
