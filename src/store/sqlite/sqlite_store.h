// store/sqlite: the backend of the store in one SQLite file.  Spec: licence.md §8.
#pragma once

#include <filesystem>
#include <memory>

#include "base/file.h"
#include "store/store.h"

namespace usher::store {

struct SqliteOptions {
  licence::PlayPolicy policy;
  std::uint32_t max_open_plays = 8;  // of one person and medium at once, at least 1
  Milliseconds busy_timeout{5'000};  // how long to wait for another process
  bool check = true;                 // run SQLite's quick check when opening
  std::uint32_t max_pages = 0;       // of the file (4 KiB each); 0: SQLite's own limit. For tests of a full disk
  /// The caller will only read: then a store that no process has open can be read on a full disk too. Writes may then
  /// fail.
  bool only_reading = false;
};

/// Opens or creates (mode 0600) the file and brings its schema up to date. Thread-safe. `random` makes the ids of
/// plays, and must outlive the store.
/// Errors: not_found (the directory), not_permitted, busy, disk_full; store (damaged, or another application's file);
/// unsupported (made by a newer usher); bad_config (the policy).
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& file, Random& random,
                                                         const SqliteOptions& options = {});

/// Held by the one server that serves a home; the operator's commands do not need it. Released when the object or the
/// process ends.
class ServerLock {
 public:
  /// Creates `file` (mode 0600) if it is missing. Errors: busy (another server), and fault_of_errno's.
  [[nodiscard]] static Result<ServerLock> acquire(const std::filesystem::path& file);

 private:
  explicit ServerLock(FileLock lock) noexcept : lock_(std::move(lock)) {}
  FileLock lock_;
};

}  // namespace usher::store
