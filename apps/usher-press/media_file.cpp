#include "media_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_error.h"

namespace usher::press {

Result<MediaFilePtr> MediaFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: a fifo with this name must not block the program before it is refused.
  auto opened = take(Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  if (!opened && opened.error().about.empty()) opened.error().about = path.string();
  return opened;
}

Result<MediaFilePtr> MediaFile::take(Descriptor file) {
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return fail_errno("media file");
  if (!S_ISREG(status.st_mode))
    return fail(Fault::malformed, "media file: kind", {}, "Name a regular file with a recording.");
  // Fails for a file on a disk, which does not matter.
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  return MediaFilePtr(new MediaFile(std::move(file), static_cast<std::uint64_t>(status.st_size)));
}

Result<std::size_t> MediaFile::read_at(std::uint64_t offset, MutableView out) const {
  std::size_t done = 0;
  while (done < out.size() && offset + done < size_) {
    const ssize_t got = ::pread(file_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("media file: read");
    if (got == 0) break;  // the file was truncated after it was opened
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<Bytes> MediaFile::bytes_at(std::uint64_t offset, std::size_t size) const {
  Bytes out(size);
  USHER_TRY(const std::size_t got, read_at(offset, out));
  out.resize(got);
  return out;
}

Result<Descriptor> memory_file() {
  Descriptor file(::memfd_create("usher-press", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return fail_errno("media file: memory");
  return file;
}

}  // namespace usher::press
