// filestream/load: many connections at once in one thread, and a report of their results.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fetch.h"

namespace usher::bench {

struct LoadOptions {
  Request request;
  std::size_t count = 1;        // fetches in all, or connections to hold
  std::size_t concurrency = 1;  // at most this many at once
  std::chrono::seconds deadline{60};
  std::filesystem::path hold_while;  // hold: as long as this file exists
};

struct Report {
  std::size_t complete = 0;  // the whole file, or held to the end
  std::uint64_t bytes = 0;   // of files
  Steady::duration wall{};
  std::vector<Steady::duration> handshakes;   // of the complete ones, each
  std::vector<Steady::duration> wholes;       // from connect() to close_notify, sorted
  std::map<std::string, std::size_t> failed;  // by reason
};

/// Each fetch uses a connection of its own. Failures are in the report.
/// Errors: io (the descriptors do not suffice, epoll).
[[nodiscard]] Result<Report> fetch_all(const Clients& clients, const LoadOptions& options);

/// Opens all connections, prints `{"held": N}` on a line of stdout, and holds them while the file exists.
/// Errors: the same.
[[nodiscard]] Result<Report> hold_all(const Clients& clients, const LoadOptions& options);

}  // namespace usher::bench
