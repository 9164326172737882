#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/descriptor.h"
#include "base/os_error.h"
#include "ca_home.h"

namespace usher::ca {
namespace {

Result<> write_whole(int fd, std::string_view content, const std::string& about) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write", about);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return fail_errno("write", about);
  return {};
}

}  // namespace

Result<> write_file(const std::filesystem::path& path, std::string_view content, unsigned mode, bool replace) {
  const std::string about = path.string();
  std::string temporary = about + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return fail_errno("write", about);
  auto written = write_whole(file.get(), content, about);
  if (written && ::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) written = fail_errno("write", about);
  // link() fails where something is, rename() replaces it: neither leaves half a file.
  if (written && replace && ::rename(temporary.c_str(), about.c_str()) == 0) return {};
  if (written && (replace || ::link(temporary.c_str(), about.c_str()) != 0)) written = fail_errno("write", about);
  ::unlink(temporary.c_str());
  return written;
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max) {
  const std::string about = path.string();
  const Descriptor file(::open(about.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail_errno("read", about);
  std::string content;
  char block[4096];
  while (true) {
    const ssize_t got = ::read(file.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", about);
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max) return fail(Fault::too_long, "read", about);
    content.append(block, static_cast<std::size_t>(got));
  }
}

}  // namespace usher::ca
