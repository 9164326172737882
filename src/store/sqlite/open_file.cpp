#include "store/sqlite/open_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/os_error.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"

namespace usher::store {
namespace {

/// Makes sure that the file is a regular file; creates it if it is missing.
Result<> make_owned(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
  if (!opened.is_open()) return fail_errno("store: open", file.string());
  struct stat status{};
  if (::fstat(opened.get(), &status) == 0 && S_ISREG(status.st_mode)) return {};
  return fail(Fault::not_permitted, "store: open", file.string() + " is not a regular file",
              "Name a directory whose store is a file.");
}

}  // namespace

namespace sqlite {

Result<> prepare_file(const std::filesystem::path& file, Milliseconds patience) {
  // SQLite gives its own files (log, index) the mode of this one.
  USHER_CHECK(make_owned(file));
  try {
    Connection connection(file, {.busy_timeout = patience});
    // The switch to a log needs exclusive access, and SQLite does not wait for that. So this loop waits while another
    // process creates the same store.
    constexpr Milliseconds kPause{20};
    for (Milliseconds waited{0};; waited += kPause) {
      try {
        Query mode = connection.query("PRAGMA journal_mode = WAL");
        if (!mode.step() || mode.text(0) != "wal")
          return fail(Fault::store, "store: open", file.string() + ": no write-ahead log on this file system",
                      "Move the data directory to a local disk.");
        return {};
      } catch (const Failure& failure) {
        if (failure.code() != SQLITE_BUSY || waited >= patience) throw;
        sqlite3_sleep(static_cast<int>(kPause.count()));
      }
    }
  } catch (const Failure& failure) {
    Error error = error_of(failure, "store: open");
    error.about = file.string() + ": " + error.about;
    return std::unexpected(std::move(error));
  }
}

}  // namespace sqlite

Result<ServerLock> ServerLock::acquire(const std::filesystem::path& file) {
  auto lock = FileLock::try_now(file);
  if (!lock && lock.error().fault == Fault::busy) {
    return fail(Fault::busy, "server lock", "usherd runs already on " + file.parent_path().string(),
                "Stop that one first, or give this one a home of its own.");
  }
  if (!lock) return std::unexpected(std::move(lock).error());
  return ServerLock(*std::move(lock));
}

}  // namespace usher::store
