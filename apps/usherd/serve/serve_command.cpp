// usherd serve: the server itself, its signals, and reloading.
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "server/runtime/endpoint.h"
#include "server/server.h"
#include "store/sqlite/sqlite_store.h"
#include "usherd/config/file_shares.h"
#include "usherd/config/trust_files.h"
#include "usherd/home/disk.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"
#include "usherd/serve/notify.h"

namespace usher::usherd {
namespace {

constexpr Milliseconds kSecond{1'000};
constexpr Milliseconds kStopTime{10'000};  // for the connections that were cut when draining ended
constexpr int kHangs = 1;                  // exit status after a hanging call

struct ServeOptions {
  std::filesystem::path port_file;
};

/// SIGTERM, SIGINT and SIGHUP, received by the thread that waits for them: no handler interrupts other code.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // threads that are started later inherit this
    ::signal(SIGPIPE, SIG_IGN);
  }
  [[nodiscard]] int wait() const {
    int signal = 0;
    while (::sigwait(&set_, &signal) != 0) {}
    return signal;
  }
  /// After this call, a second signal ends the process at once.
  void release() const { ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_{};
};

server::Level level_of(std::string_view name) {
  if (name == "debug") return server::Level::debug;
  if (name == "warning") return server::Level::warning;
  return name == "error" ? server::Level::error : server::Level::info;
}
server::LogFormat format_of(std::string_view name) {
  if (name == "text") return server::LogFormat::text;
  return name == "json" ? server::LogFormat::json : server::LogFormat::automatic;
}

Result<std::vector<Endpoint>> endpoints_of(const std::vector<std::string>& texts) {
  std::vector<Endpoint> endpoints;
  for (const std::string& text : texts) {
    USHER_TRY(Endpoint endpoint, server::endpoint_from_text(text));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

Result<server::ServerOptions> options_of(const Config& config) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  server::ServerOptions options;
  USHER_TRY(options.listen, endpoints_of(config.listen));
  USHER_TRY(options.operator_listen, endpoints_of(config.operator_listen));
  options.threads = static_cast<unsigned>(config.threads);
  options.http = {.header_bytes = size(config.header_bytes),
                  .connections = size(config.connections),
                  .connections_per_address = size(config.connections_per_address),
                  .header_time = config.header_seconds * kSecond,
                  .body_time = config.body_seconds * kSecond,
                  .idle_time = config.idle_seconds * kSecond,
                  .write_stall = config.write_stall_seconds * kSecond,
                  .write_time = config.write_seconds * kSecond};
  options.sessions.half_open = size(config.half_open_sessions);
  options.sessions.open = size(config.sessions);
  options.sessions.open_per_installation = size(config.sessions_per_installation);
  options.sessions.life = Seconds(config.session_seconds);
  if (!config.files_shares.empty() || !config.files_publish.empty()) {
    USHER_TRY(options.files, file_options_of(config));
  }
  options.keep_operations = std::chrono::days(config.keep_operations_days);
  return options;
}

/// One address for each line: "media 127.0.0.1:8080", "operator 127.0.0.1:9480". For tests and scripts that use port 0.
Result<> write_ports(const std::filesystem::path& file, const server::Server& server) {
  if (file.empty()) return {};
  std::string text;
  for (const Endpoint& endpoint : server.endpoints()) text += "media " + endpoint.text() + "\n";
  for (const Endpoint& endpoint : server.file_endpoints()) text += "files " + endpoint.text() + "\n";
  for (const Endpoint& endpoint : server.operator_endpoints()) text += "operator " + endpoint.text() + "\n";
  return replace_file(file, text, 0644);
}

void tell_what_waits(Config before, Config now, server::Log& log) {
  const app::Settings old_settings = settings_of(before);
  const app::Settings new_settings = settings_of(now);
  for (const app::Key& key : new_settings.keys()) {
    if (!key.reloaded && old_settings.find(key.name)->value() != key.value()) {
      log.warning("setting needs a restart", {{"key", key.name}});
    }
  }
}

void tell_file_endpoints(const server::Server& server, server::Log& log) {
  for (const Endpoint& endpoint : server.file_endpoints()) {
    log.info("serving files", {{"address", endpoint.text()}});
  }
}

Result<> reload(const Context& context, const Home& home, server::Fetchers* fetchers, server::Server& server,
                server::Log& log) {
  USHER_TRY(const Config config, load_config(context));
  USHER_CHECK(check(config));
  home.keys->forget_refused_pins();
  USHER_TRY(server::ServerSnapshot snapshot, load_snapshot(config, *home.keys, fetched_by(fetchers, config),
                                                           home.store.get(), &*home.vault, context.clock));
  USHER_TRY(const server::FileStreamOptions files, file_options_of(config));
  const bool had_files = !server.file_endpoints().empty();
  USHER_CHECK(server.start_files(files, snapshot));
  if (!had_files) tell_file_endpoints(server, log);
  server.reload(std::move(snapshot));
  tell_what_waits(home.config, config, log);
  return {};
}

/// Returns after SIGTERM or SIGINT.
void wait_for_the_end(const Signals& signals, const Context& context, const Home& home, server::Fetchers* fetchers,
                      server::Server& server, server::Log& log) {
  for (;;) {
    const int signal = signals.wait();
    if (signal != SIGHUP) {
      log.info("draining", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return;
    }
    notify("RELOADING=1");
    const auto done = reload(context, home, fetchers, server, log);
    if (done) {
      log.info("reloaded");
    } else {
      server.note_refused_reload();
      log.error("reload refused, nothing has changed",
                {{"code", code_of(done.error().fault)}, {"reason", explain(done.error())}});
    }
    notify("READY=1");
  }
}

/// One descriptor for each media connection, two (socket and file) for each file stream connection, and a reserve.
void make_room_for_descriptors(const Config& config, server::Log& log) {
  const auto wanted = static_cast<rlim_t>(config.connections + 2 * config.files_connections + 256);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log.warning("fewer descriptors than the limits need", {{"wanted", wanted}, {"allowed", limit.rlim_cur}});
  }
}

void warn_of_files(const Config& config, server::Log& log) {
  if (!config.files_publish.empty()) log.warning("media are published: these copies are not counted");
  if (!config.files_key_transport_certificate.empty()) {
    log.warning(
        "RSA key transport is offered: anyone who obtains its key can read the recorded connections that used it");
  }
}

/// Media in the catalogue that cannot be read, usually because the files belong to another user.
std::string unreadable_media(const Home& home) {
  constexpr std::uint32_t kPage = 256;
  std::size_t unreadable = 0;
  std::string first;
  for (std::uint32_t offset = 0;;) {
    const auto page = home.store->list_media({.offset = offset, .count = kPage});
    if (!page) return "the store cannot be read: " + std::string(code_of(page.error().fault));
    for (const store::MediumRecord& medium : page->entries) {
      const auto readable = home.vault->check_readable(medium.id);
      if (readable) continue;
      if (++unreadable == 1) first = to_hex(medium.id) + ", " + std::string(code_of(readable.error().fault));
    }
    offset += static_cast<std::uint32_t>(page->entries.size());
    if (page->entries.empty() || offset >= page->total) break;
  }
  return unreadable == 0 ? std::string() : std::to_string(unreadable) + " media cannot be read (" + first + ")";
}

/// Logs when a key on a token is lost and when it is back, as long as the object lives.
class TokenKeyLog {
 public:
  TokenKeyLog(Keyring& keys, server::Log& log) : keys_(keys) {
    keys.observe([&log](const std::string& uri, const Error* why) {
      if (why == nullptr) {
        log.info("key on a token can be used again", {{"key", uri}});
      } else {
        log.error("key on a token cannot be used",
                  {{"key", uri}, {"code", code_of(why->fault)}, {"reason", explain(*why)}});
      }
    });
  }
  ~TokenKeyLog() { keys_.observe({}); }
  TokenKeyLog(const TokenKeyLog&) = delete;
  TokenKeyLog& operator=(const TokenKeyLog&) = delete;

 private:
  Keyring& keys_;
};

/// For the readiness check: an unusable key on a token, unreadable media, a full disk.
std::vector<std::string> obstacles(const Config& config, const Home& home) {
  std::vector<std::string> found;
  for (std::string& one : std::array{home.keys->unusable(), unreadable_media(home)}) {
    if (!one.empty()) found.push_back(std::move(one));
  }
  const auto data = config.path_of(config.data);
  if (const auto room = check_room(data); !room) {
    found.push_back("nothing can be written to " + printable(data.string()) + " [" +
                    std::string(code_of(room.error().fault)) + "]");
  }
  return found;
}

/// Ends the process if the server does not stop: there is no other way to end a hanging call of a token's module.
class StopLimit {
 public:
  explicit StopLimit(server::Log& log)
      : watch_([&log](const std::stop_token& stopped) {
          std::mutex mutex;
          std::condition_variable_any over;
          std::unique_lock lock(mutex);
          static_cast<void>(over.wait_for(lock, stopped, kStopTime, [] { return false; }));
          if (stopped.stop_requested()) return;
          log.error("stopped while a call hangs", {{"about", "a token, or a disk"}});
          ::_exit(kHangs);
        }) {}

 private:
  std::jthread watch_;
};

Result<> serve(const Context& context, const ServeOptions& options) {
  const Signals signals;
  USHER_TRY(const Config config, load_config(context));
  USHER_CHECK(check(config));
  USHER_TRY(server::ServerOptions server_options, options_of(config));
  USHER_TRY(const Home home, open_home_with_vault(context));
  USHER_CHECK(check_server_id(config, *home.store));
  USHER_TRY([[maybe_unused]] const auto lock, store::ServerLock::acquire(lock_file_of(config)));
  USHER_TRY(service::LicenceIssuer issuer, load_licence_issuer(config, *home.keys));
  USHER_TRY(const person::PseudonymKey pseudonyms, load_pseudonym_key(config, *home.keys));
  const auto log = server::make_log(level_of(config.log_level), format_of(config.log_format));
  const TokenKeyLog token_key_log(*home.keys, *log);
  std::unique_ptr<server::Fetchers> fetchers;
  if (config.revocation_fetch) {
    USHER_TRY(fetchers, make_fetchers(config, context.clock, context.random, *log, *home.store));
  }
  USHER_TRY(server::ServerSnapshot snapshot, load_snapshot(config, *home.keys, fetched_by(fetchers.get(), config),
                                                           home.store.get(), &*home.vault, context.clock));
  server::Server server(std::move(server_options),
                        {.store = *home.store,
                         .vault = *home.vault,
                         .issuer = std::move(issuer),
                         .pseudonyms = pseudonyms,
                         .clock = context.clock,
                         .random = context.random,
                         .log = *log,
                         .fetchers = fetchers.get(),
                         .not_ready = [&] { return obstacles(config, home); }},
                        std::move(snapshot));
  make_room_for_descriptors(config, *log);
  warn_of_files(config, *log);
  USHER_CHECK(server.start());
  USHER_CHECK(write_ports(options.port_file, server));
  for (const Endpoint& endpoint : server.endpoints()) log->info("serving", {{"address", endpoint.text()}});
  tell_file_endpoints(server, *log);
  for (const Endpoint& endpoint : server.operator_endpoints()) {
    log->info("operator's listener", {{"address", endpoint.text()}});
  }
  notify("READY=1");
  wait_for_the_end(signals, context, home, fetchers.get(), server, *log);
  notify("STOPPING=1");
  signals.release();
  const bool all = server.drain(config.drain_seconds * kSecond);
  {
    const StopLimit limit(*log);
    server.stop();
  }
  if (const auto given = home.store->give_back_leases(); !given) {
    log->warning("chunks counted ahead were not given back", {{"code", code_of(given.error().fault)}});
  }
  log->info("stopped", {{"finished", all ? "all" : "some connections were cut"}});
  return {};
}

}  // namespace

void add_serve_command(const app::Command& program, Context& context) {
  const app::Command verb = program.command("serve", "Run the server until SIGTERM; SIGHUP reloads");
  verb.footer(
      "Examples:\n"
      "  usherd --home /srv/usher serve\n"
      "  usherd --home h serve --listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --port-file ports\n"
      "SIGTERM stops accepting and finishes what is under way. SIGHUP reads certificates, trust, revocation lists,\n"
      "names and policy again, all or nothing.");
  const auto options = std::make_shared<ServeOptions>();
  const auto setting = [&context, verb](const char* flag, const char* key, const char* about) {
    verb.option(flag, [&context, key](const std::string& text) { context.settings.emplace_back(key, text); }, about);
  };
  setting("--listen", "server.listen", "Addresses of the media channel, with commas between; port 0: any free one");
  setting("--files-listen", "files.listen", "Addresses of the file stream");
  setting("--operator-listen", "server.operator_listen", "Addresses of health, readiness and metrics");
  setting("--log-level", "log.level", "debug, info, warning or error");
  setting("--log-format", "log.format", "auto, text or json");
  verb.option("--port-file", options->port_file, "Write the addresses that were bound to this file");
  verb.action([&context, options] { return serve(context, *options); });
}

}  // namespace usher::usherd
