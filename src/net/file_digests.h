// net/file_digests: SHA-256 of served files, computed off the event loops, and kept for all who ask.
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
#include "net/file_shares.h"
#include "net/workers.h"

namespace usher::net {

/// Bytes of a file or medium from `offset` on, as many as there are; 0: the end. Errors: io; truncated; the medium's.
[[nodiscard]] Result<std::size_t> read_opened(const OpenedFile& file, std::uint64_t offset, MutableView out);
/// Whether a file is as it was when it was opened (§4.1). Errors: interrupted; io.
[[nodiscard]] Result<> check_unchanged(const OpenedFile& file);

/// Thread-safe.
class FileDigests {
 public:
  using Done = std::function<void(const Result<Hash256>&)>;
  /// Who asks, and who is told. An asker that is gone is not told; a digest that no one waits for is not computed on.
  struct Asker {
    std::string client;  // whose job it is, see Workers
    std::weak_ptr<const void> alive;
    Done done;
  };
  /// All borrowed. `max_entries`: digests that are kept.
  FileDigests(Workers& workers, const Clock& clock, std::size_t max_entries)
      : workers_(workers), clock_(clock), known_(max_entries) {}

  /// `done` comes at once where the digest is known or there are too many jobs, else from a worker.
  /// Errors: io; server_busy; interrupted, the file changed while it was read.
  void ask(const OpenedFilePtr& file, const Asker& asker);
  /// How often reading a file for its digest was begun, for tests.
  [[nodiscard]] std::size_t computed() const noexcept { return computed_; }

 private:
  /// A file by its state; a medium by its object's id, which is made afresh with each release.
  using Key = std::pair<FileState, Id128>;
  /// A client's job for a file: one client does not wait in another's line.
  using JobKey = std::pair<Key, std::string>;
  struct Job;
  /// A piece of it. False: it is over.
  [[nodiscard]] bool step(Job& job);
  /// False: nobody waits for it any more.
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

}  // namespace usher::net
