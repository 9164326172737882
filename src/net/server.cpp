#include "net/server.h"

#include <atomic>
#include <thread>

#include "base/encoding.h"
#include "net/handed_lists.h"
#include "net/media_channel.h"
#include "net/operator_listener.h"
#include "net/router.h"
#include "net/runtime.h"

namespace usher::net {
namespace {

constexpr Milliseconds kSweep{1'000};
constexpr Milliseconds kExpirePlays{30'000};
constexpr Milliseconds kForget{3'600'000};
constexpr Milliseconds kDrainStep{20};

HttpEvents events_for(const std::string& listener, Metrics& metrics) {
  HttpEvents events;
  events.connections = [listener, &metrics](std::size_t open) { metrics.connections_open(listener, open); };
  events.refused = [listener, &metrics](std::string_view reason) { metrics.http_refused(listener, reason); };
  return events;
}

/// The operator's listener answers to what it is bound to, and to the usual names of this machine.
std::vector<std::string> operator_names(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  for (const Endpoint& endpoint : endpoints) names.push_back(endpoint.address);
  return names;
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions options_, Parts parts, ServerSnapshot snapshot);

  void ended(const LiveSession& session, std::string_view reason);
  /// Puts these in force, and ends the sessions that would no longer be taken.
  void install(std::shared_ptr<const Authorities> now);
  void use_lists(const std::vector<identity::Crl>& lists);
  void sweep();
  void expire_plays();
  void forget();
  [[nodiscard]] std::string not_ready();
  void show_expiries();

  ServerOptions options;
  Parts p;
  Metrics metrics;
  Guarded<Authorities> authorities;
  Guarded<channel::ServerSettings> channel_settings;
  Guarded<ServicePolicy> policy;
  Guarded<Expiries> expiries;
  Guarded<Bytes> handed;  // revocation lists for listeners
  std::mutex installing;
  Expiries certificates;  // what ends beside the lists; under `installing`
  HostNames names;
  HostNames operator_host_names;
  SessionTable sessions;
  MediaService media;
  Router router;
  ChannelDriver driver;
  MediaChannel channel;
  OperatorListener operators;
  std::atomic<bool> draining = false;
  std::vector<Endpoint> bound;
  std::vector<Endpoint> operator_bound;
  Runtime runtime;
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
      handed(std::make_shared<const Bytes>(handed_lists(*snapshot.authorities, p.clock.now()))),
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
              .sink = router,
              .settings = channel_settings,
              .clock = p.clock,
              .random = p.random,
              .log = p.log,
              .metrics = metrics}),
      channel(driver, handed, metrics, p.log),
      operators(metrics, [this] { return not_ready(); }),
      runtime(options.threads),
      media_http(runtime, channel, names, p.log, options.http, events_for("media", metrics)),
      operator_http(runtime, operators, operator_host_names, p.log, options.http, events_for("operator", metrics)) {
  if (options.files && snapshot.files) {
    files.emplace(*options.files,
                  FileStream::Parts{.clock = p.clock, .random = p.random, .log = p.log, .metrics = metrics},
                  *std::move(snapshot.files));
  }
  show_expiries();
  if (p.keepers != nullptr) p.keepers->lists.trust(all_authorities(*snapshot.authorities));
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

std::string Server::Impl::not_ready() {
  if (draining) return "draining";
  if (const auto version = p.store.schema_version(); !version) return "the store cannot be read";
  const auto ends = expiries.get();
  for (const auto& [what, when] : *ends) {
    if (when <= p.clock.now()) return what + " has expired";
  }
  return p.not_ready ? p.not_ready() : std::string();
}

/// `installing` is held, or nobody else is here yet.
void Server::Impl::show_expiries() {
  Expiries ends = certificates;
  for (auto& end : list_expiries(*authorities.get())) ends.push_back(std::move(end));
  for (const auto& [what, when] : ends) metrics.expires(what, when);
  expiries.set(std::make_shared<const Expiries>(std::move(ends)));
}

/// `installing` is held.
void Server::Impl::install(std::shared_ptr<const Authorities> next) {
  authorities.set(next);
  channel_settings.set(next->channel);
  handed.set(std::make_shared<const Bytes>(handed_lists(*next, p.clock.now())));
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

void Server::Impl::use_lists(const std::vector<identity::Crl>& lists) {
  const std::scoped_lock lock(installing);
  auto next = with_fetched(*authorities.get(), lists);
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
  s.runtime.every(kExpirePlays, [&s] { s.expire_plays(); });
  s.runtime.every(kForget, [&s] { s.forget(); });
  s.runtime.start();
  if (s.p.keepers != nullptr) {
    s.p.keepers->lists.keep(s.authorities.get()->channel->chain);
    s.p.keepers->start([&s](const std::vector<identity::Crl>& lists) { s.use_lists(lists); }, s.metrics);
  }
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
  if (s.p.keepers != nullptr) {
    s.p.keepers->lists.trust(all_authorities(*next));
    // Others may have come since the snapshot was read.
    if (auto newest = with_fetched(*next, s.p.keepers->lists.lists())) next = *std::move(newest);
  }
  if (snapshot.files) snapshot.files->clients = next->channel->clients;
  if (s.files && snapshot.files) {
    s.files->reload(*std::move(snapshot.files));
  } else if (s.files) {
    s.files->share_nothing(next->channel->clients);
  }
  s.install(std::move(next));
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
  if (impl_->p.keepers != nullptr) impl_->p.keepers->stop();
  if (impl_->files) impl_->files->stop();
  impl_->runtime.stop();
}

}  // namespace usher::net
