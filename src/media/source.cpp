#include "media/source.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_error.h"

namespace usher::media {
namespace {

class FileSource final : public Source {
 public:
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~FileSource() override { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override {
    std::size_t done = 0;
    while (done < out.size() && offset + done < size_) {
      const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("file: read");
      if (got == 0) break;  // the file became shorter after it was opened
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  int descriptor_;
  std::uint64_t size_;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override {
    if (offset >= bytes_.size()) return 0;
    const View from = View(bytes_).subspan(static_cast<std::size_t>(offset));
    const std::size_t size = std::min(from.size(), out.size());
    std::copy_n(from.begin(), size, out.begin());
    return size;
  }

 private:
  Bytes bytes_;
};

class PartSource final : public Source {
 public:
  PartSource(SourcePtr whole, std::uint64_t offset, std::uint64_t size)
      : whole_(std::move(whole)), offset_(offset), size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override {
    if (offset >= size_) return 0;
    const std::uint64_t left = size_ - offset;
    return whole_->read_at(offset_ + offset, left < out.size() ? out.first(static_cast<std::size_t>(left)) : out);
  }

 private:
  SourcePtr whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace

Result<SourcePtr> open_file(const std::filesystem::path& path) {
  // O_NONBLOCK: a fifo of this name must not block the program before it is refused.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return fail_errno("file: open", path.string());
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return fail(Fault::malformed, "file: kind", path.string() + " is not a regular file", "Name a regular file.");
  }
  return std::make_shared<FileSource>(descriptor, static_cast<std::uint64_t>(status.st_size));
}

SourcePtr memory_source(Bytes bytes) { return std::make_shared<MemorySource>(std::move(bytes)); }

Result<SourcePtr> part_of(SourcePtr whole, std::uint64_t offset, std::uint64_t size) {
  if (offset > whole->size() || size > whole->size() - offset) return fail(Fault::truncated, "source: part");
  return std::make_shared<PartSource>(std::move(whole), offset, size);
}

Result<> FileSink::write(View bytes) {
  USHER_CHECK(file_->write_at(offset_, bytes));
  offset_ += bytes.size();
  return {};
}

}  // namespace usher::media
