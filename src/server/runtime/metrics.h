// server/runtime/metrics: the server's metrics, for Prometheus.  Names: docs/reference/log-and-metrics.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace usher::server {

/// Thread-safe. Labels come from closed sets (paths, codes, suites): a peer cannot make new ones.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void connections_open(std::string_view listener, std::size_t count);
  void http_refused(std::string_view listener, std::string_view reason);
  void handshake_begun();
  /// `code`: "ok" or the code of a fault. `suite` may be empty.
  void handshake_ended(std::string_view code, std::string_view suite);
  void sessions(std::size_t open, std::size_t half_open);
  void session_ended(std::string_view reason);
  void request(std::string_view path, std::string_view code, std::chrono::nanoseconds took);
  void chunk_sent(std::size_t bytes);
  void licence_issued(std::string_view by);
  void play(std::string_view event);
  /// `result`: "full", "resumed", or why it failed.
  void file_handshake(std::string_view result);
  /// `bytes`: size of the answer, before encryption.
  void file_request(std::string_view verb, std::string_view code, std::uint64_t bytes, std::chrono::nanoseconds took);
  void reload(bool ok, Time now);
  /// One fetch of a revocation list, a responder's answer or an authority's certificate. `code`: "ok" or the code of a
  /// fault.
  void fetched(std::string_view code);
  struct Ending {
    std::string what;
    Time when{};
    bool soon = false;
  };
  /// Everything that ends at a known time. Replaces the endings of the last call.
  void endings(const std::vector<Ending>& all);
  void media(std::size_t count);

  /// The text format of Prometheus.
  [[nodiscard]] std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::server
