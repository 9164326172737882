// net/file_digests: SHA-256 of served files, computed once for all who ask, and off the event loops.
// Spec: filestream.md §3.1, §5.1.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "base/lru.h"
#include "crypto/digest.h"
#include "net/file_shares.h"

namespace usher::net {

/// Threads for what takes long: reading whole files and directories.
class FileWorkers {
 public:
  explicit FileWorkers(unsigned threads);
  ~FileWorkers();  // stops
  FileWorkers(const FileWorkers&) = delete;
  FileWorkers& operator=(const FileWorkers&) = delete;

  void run(std::function<void()> task);
  /// Tasks look at it now and then.
  [[nodiscard]] const std::atomic<bool>& cancelled() const noexcept { return cancelled_; }
  /// Ends soon what runs, drops what waits.
  void stop();

 private:
  struct Pool;
  std::atomic<bool> cancelled_ = false;
  std::unique_ptr<Pool> pool_;
};

/// Bytes of a file or medium from `offset` on, as many as there are; 0: the end. Errors: io; truncated; the medium's.
[[nodiscard]] Result<std::size_t> read_opened(const OpenedFile& file, std::uint64_t offset, MutableView out);
/// Whether a file is as it was when it was opened (§4.1). Errors: interrupted; io.
[[nodiscard]] Result<> check_unchanged(const OpenedFile& file);

/// Thread-safe.
class FileDigests {
 public:
  using Done = std::function<void(const Result<Hash256>&)>;
  /// All borrowed. `max_entries`: digests that are kept.
  FileDigests(FileWorkers& workers, const Clock& clock, std::size_t max_entries)
      : workers_(workers), clock_(clock), known_(max_entries) {}

  /// `done` comes at once where the digest is known, else from a worker. Errors: io, cancelled; interrupted, the file
  /// changed while it was read.
  void ask(const OpenedFilePtr& file, const Done& done);
  /// How often a file was read for its digest, for tests.
  [[nodiscard]] std::size_t computed() const noexcept { return computed_; }

 private:
  /// A file by its state; a medium by its object's id, which is made afresh with each release.
  using Key = std::pair<FileState, Id128>;
  void compute(const OpenedFilePtr& file, const Key& key);

  FileWorkers& workers_;
  const Clock& clock_;
  std::mutex mutex_;
  LruMap<Key, Hash256> known_;
  std::map<Key, std::vector<Done>> waiting_;
  std::atomic<std::size_t> computed_ = 0;
};

}  // namespace usher::net
