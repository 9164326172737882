// server/files/file_loop: the state that connections of the file stream share.
// For file_connection.cpp and file_stream.cpp.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/guarded.h"
#include "crypto/secret.h"
#include "server/files/file_digests.h"
#include "server/files/file_sessions.h"
#include "server/files/file_stream.h"

namespace usher::server {

class FileConnection;

inline constexpr std::size_t kFileBatch = 128 << 10;  // bytes of plaintext that are sent at once
inline constexpr std::size_t kFileTurn = 256 << 10;   // bytes, after which other connections have their turn

/// The state that all connections of one server share.
struct FileShared {
  FileShared(const FileLimits& limits_, FileStream::Parts p, FileSnapshot first, const WorkerLimits& worker_limits,
             const WorkerLimits& signer_limits)
      : limits(limits_),
        clock(p.clock),
        random(p.random),
        log(p.log),
        metrics(p.metrics),
        snapshot(std::make_shared<const FileSnapshot>(std::move(first))),
        verdicts(kVerdicts),
        sessions(limits_.sessions, limits_.session_life),
        workers(worker_limits),
        digests(workers, p.clock, kDigests),
        signers(signer_limits) {}

  static constexpr std::size_t kVerdicts = 10'000;
  static constexpr std::size_t kDigests = 100'000;

  const FileLimits limits;
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
  Guarded<FileSnapshot> snapshot;
  pki::VerifyCache verdicts;
  FileSessions sessions;
  Workers workers;  // for long jobs: reading whole files and folders
  FileDigests digests;
  Workers signers;  // for handshakes if the server's key is on a token; a separate pool, because all of it may hang
  std::atomic<std::size_t> open = 0;  // connections
  bool kernel_tls = false;            // whether it is offered; set before the first connection

  std::mutex mutex;
  std::map<std::string, std::size_t> by_address;
};

/// One thread with its connections. The connection that has its turn uses the buffers, and leaves them empty. A waiting
/// connection has no buffer.
struct FileLoop {
  FileLoop() : plain(kFileBatch) {}

  crypto::Secret plain;                            // bytes of files, before encryption
  std::array<std::uint8_t, 2 * kFileBatch> out{};  // records to send
  std::size_t out_size = 0;
  std::list<std::shared_ptr<FileConnection>> connections;
  boost::asio::io_context context{1};
  boost::asio::steady_timer sweep{context};
  std::jthread thread;
};

}  // namespace usher::server
