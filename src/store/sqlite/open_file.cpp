#include "store/sqlite/open_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/os_error.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"

namespace usher::store {
namespace {

constexpr mode_t kOwnerOnly = 0600;

/// The descriptor of a regular file, created where missing.
Result<int> open_owned(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (descriptor < 0) return fail_errno("store: open", file.string());
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return fail(Fault::not_permitted, "store: open", file.string() + " is not a regular file");
  }
  return descriptor;
}

}  // namespace

namespace sqlite {

Result<> prepare_file(const std::filesystem::path& file, Milliseconds patience) {
  // SQLite gives its own files (log, index) the mode of this one.
  USHER_TRY(const int descriptor, open_owned(file));
  ::close(descriptor);
  try {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE, static_cast<int>(patience.count()));
    // The switch to a log needs the file for itself, and SQLite does not wait for that: another process that creates
    // the same store is waited for here.
    constexpr Milliseconds kPause{20};
    for (Milliseconds waited{0};; waited += kPause) {
      try {
        const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
        if (mode != "wal")
          return fail(Fault::store, "store: open", file.string() + ": no write-ahead log on this file system");
        return {};
      } catch (const SQLite::Exception& exception) {
        if (exception.getErrorCode() != SQLITE_BUSY || waited >= patience) throw;
        sqlite3_sleep(static_cast<int>(kPause.count()));
      }
    }
  } catch (const SQLite::Exception& exception) {
    Error error = error_of(exception, "store: open");
    error.about = file.string() + ": " + error.about;
    return std::unexpected(std::move(error));
  }
}

}  // namespace sqlite

Result<ServerLock> ServerLock::acquire(const std::filesystem::path& file) {
  USHER_TRY(const int descriptor, open_owned(file));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return ServerLock(descriptor);
  const int why = errno;
  ::close(descriptor);
  if (why == EWOULDBLOCK) return fail(Fault::busy, "server lock", file.string());
  return fail(fault_of_errno(why), "server lock", file.string());
}

ServerLock::ServerLock(ServerLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

ServerLock& ServerLock::operator=(ServerLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

ServerLock::~ServerLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace usher::store
