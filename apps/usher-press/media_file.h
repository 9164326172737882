// usher-press/media_file: the medium to press, as an open file that ffmpeg can read too.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "media/source.h"

namespace usher::press {

/// A regular file, or a file in memory without a name. Child processes get it by descriptor, so that they read the
/// pressed file whatever happens to its name.
class MediaFile final : public media::Source {
 public:
  /// Errors: not_found, not_permitted, io; malformed, not a regular file.
  [[nodiscard]] static Result<std::shared_ptr<const MediaFile>> open(const std::filesystem::path& path);
  /// `file`: complete. A file in memory is sealed against changes.
  [[nodiscard]] static Result<std::shared_ptr<const MediaFile>> take(Descriptor file);

  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override;
  /// The bytes from `offset`. Fewer than `size` only at the end of the file.
  [[nodiscard]] Result<Bytes> bytes_at(std::uint64_t offset, std::size_t size) const;

 private:
  MediaFile(Descriptor file, std::uint64_t size) : file_(std::move(file)), size_(size) {}
  Descriptor file_;
  std::uint64_t size_;
};
using MediaFilePtr = std::shared_ptr<const MediaFile>;

/// A new empty file in memory that a child process can write: its content reaches no disk. Errors: io.
[[nodiscard]] Result<Descriptor> memory_file();

}  // namespace usher::press
