// filestream_load: the load generator that `./run bench filestream` runs against usherd and against nginx. It connects
// to 127.0.0.1 only, counts the bytes that arrive, and prints one line of JSON. tools/bench-filestream starts it;
// docs/performance.md explains.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <exception>

#include "common/report.h"
#include "load.h"

namespace {

using namespace usher;

constexpr const char* kName = "filestream_load";
constexpr std::size_t kMaxCount = 1'000'000;
constexpr std::size_t kMaxConcurrency = 10'000;

double seconds(bench::Steady::duration time) { return std::chrono::duration<double>(time).count(); }

/// The value that `percent` of them do not exceed (nearest rank); 0 for an empty list.
double percentile(const std::vector<bench::Steady::duration>& sorted, std::size_t percent) {
  if (sorted.empty()) return 0;
  return seconds(sorted[(sorted.size() * percent + 99) / 100 - 1]);
}

boost::json::object percentiles(const std::vector<bench::Steady::duration>& sorted) {
  return {{"p50", percentile(sorted, 50)}, {"p99", percentile(sorted, 99)}, {"max", percentile(sorted, 100)}};
}

/// CPU time of this process: shows whether the load, and not the server, took the time.
double own_cpu_seconds() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return 0;
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

void print(const bench::Report& report) {
  boost::json::object failed;
  for (const auto& [reason, times] : report.failed) failed[reason] = times;
  const boost::json::object line{{"complete", report.complete},
                                 {"failed", failed},
                                 {"bytes", report.bytes},
                                 {"wall_s", seconds(report.wall)},
                                 {"load_cpu_s", own_cpu_seconds()},
                                 {"handshake_s", percentiles(report.handshakes)},
                                 {"whole_s", percentiles(report.wholes)}};
  std::printf("%s\n", boost::json::serialize(line).c_str());
}

Result<> run(const bench::TlsOptions& tls, const bench::LoadOptions& load, bool hold) {
  USHER_TRY(const bench::Clients clients, bench::Clients::make(tls));
  USHER_TRY(const bench::Report report, hold ? bench::hold_all(clients, load) : bench::fetch_all(clients, load));
  print(report);
  return {};
}

int parse_and_run(int argc, char** argv) {
  bench::TlsOptions tls;
  bench::LoadOptions load;
  bool http = false;
  CLI::App app{"filestream_load: fetches a file over mutual TLS, many times, and measures; for the benchmark."};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--port", load.request.port, "Port on 127.0.0.1")->required();
  app.add_option("--cert", tls.certificates, "PEM of the client; of several, who take turns")->required();
  app.add_option("--key", tls.key, "The private key of them all, PEM, not encrypted")->required();
  app.add_option("--anchors", tls.anchors, "PEM of the roots that the server must lead to")->required();
  app.add_option("--tls", tls.version, "1.2 or 1.3")->required();
  app.add_option("--suite", tls.suite, "The one suite, by OpenSSL's name")->required();
  app.add_option("--alpn", tls.alpn, "Protocol to offer");
  app.add_option("--count", load.count, "Connections in all")->check(CLI::Range(std::size_t{1}, kMaxCount));
  app.add_option("--concurrency", load.concurrency, "At once")->check(CLI::Range(std::size_t{1}, kMaxConcurrency));
  app.add_option("--deadline", load.deadline, "Seconds for everything")->check(CLI::Range(1, 3600));
  CLI::App* fetch = app.add_subcommand("fetch", "A file over each connection");
  fetch->add_flag("--http", http, "HTTP/1.1 in place of `GET name`");
  fetch->add_option("--name", load.request.name, "The file's name")->required();
  fetch->add_option("--bytes", load.request.bytes, "Its length")->required();
  fetch->add_option("--sha256", load.request.sha256, "Its digest, hex; without it the length alone is compared");
  CLI::App* hold = app.add_subcommand("hold", "Handshakes alone; the connections stay open");
  hold->add_option("--while", load.hold_while, "As long as this file is there")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitClass::usage);
  }
  if (http) load.request.protocol = bench::Protocol::http;
  load.concurrency = hold->parsed() ? load.count : std::min(load.concurrency, load.count);
  const auto done = run(tls, load, hold->parsed());
  return done ? 0 : app::report(kName, done.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    return usher::app::report(kName, {usher::Fault::local, "main", error.what()});
  }
}
