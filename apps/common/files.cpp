#include "common/files.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/os_error.h"

namespace usher::app {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max) {
  const std::string about = path.string();
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail_errno("read", about);
  std::string content;
  Result<> done{};
  for (char buffer[8192];;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) done = fail_errno("read", about);
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > max) {
      done = fail(Fault::too_long, "read", about);
      break;
    }
  }
  ::close(descriptor);
  if (!done) return std::unexpected(std::move(done).error());
  return content;
}

}  // namespace usher::app
