// server/files/file_digests: computes SHA-256 of served files on workers, and caches it for all clients.
// Spec: filestream.md §3.1, §5.1.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/lru.h"
#include "crypto/digest.h"
#include "server/files/file_shares.h"
#include "server/runtime/workers.h"

namespace usher::server {

/// Reads bytes of a file or medium from `offset` on into `out`. Returns their number; 0: the end.
/// Errors: io; truncated; those of media::MediumReader::read_chunk.
[[nodiscard]] Result<std::size_t> read_opened(const OpenedFile& file, std::uint64_t offset, MutableView out);
/// Succeeds if the file is unchanged since it was opened (§4.1). Errors: interrupted; io.
[[nodiscard]] Result<> check_unchanged(const OpenedFile& file);

/// Thread-safe.
class FileDigests {
 public:
  using Done = std::function<void(const Result<Hash256>&)>;
  /// A request for a digest. `done` is not called once `alive` has expired. Computing a digest stops once `alive` of
  /// all its askers has expired.
  struct Asker {
    std::string client;  // the owner of the job, see Workers
    std::weak_ptr<const void> alive;
    Done done;
  };
  /// All references are borrowed. `max_entries`: the most digests that the cache keeps.
  FileDigests(Workers& workers, const Clock& clock, std::size_t max_entries)
      : workers_(workers), clock_(clock), known_(max_entries) {}

  /// Calls `done` at once if the digest is cached or there are too many jobs; otherwise a worker calls it.
  /// Errors: io; server_busy; interrupted, the file changed while it was read.
  void ask(const OpenedFilePtr& file, const Asker& asker);
  /// How many times computing a digest was begun, for tests.
  [[nodiscard]] std::size_t computed() const noexcept { return computed_; }

 private:
  /// A file is identified by its state; a medium by its object's id, which is new for each release.
  using Key = std::pair<FileState, Id128>;
  /// A client's job for a file. Each client has its own job, so that no client waits for the jobs of another one.
  using JobKey = std::pair<Key, std::string>;
  struct Job;
  /// Does one piece of the job. False: the job has ended.
  [[nodiscard]] bool step(Job& job);
  /// True if an asker still waits for this job.
  [[nodiscard]] bool is_awaited(const JobKey& key);
  [[nodiscard]] std::optional<Hash256> known(const Key& key);
  [[nodiscard]] std::vector<Asker> take_waiting(const JobKey& key);
  void finish(const Job& job, const Result<Hash256>& digest);

  Workers& workers_;
  const Clock& clock_;
  std::mutex mutex_;
  LruMap<Key, Hash256> known_;
  std::map<JobKey, std::vector<Asker>> waiting_;
  std::atomic<std::size_t> computed_ = 0;
};

}  // namespace usher::server
