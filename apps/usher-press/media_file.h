// usher-press/media_file: what is pressed, open as a file that ffmpeg can be given too.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "media/source.h"

namespace usher::press {

/// A regular file, or one in memory that has no name anywhere. Children get it by descriptor: so they read what is
/// pressed, whatever happens to the file's name.
class MediaFile final : public media::Source {
 public:
  /// Errors: not_found, not_permitted, io; malformed, not a regular file.
  [[nodiscard]] static Result<std::shared_ptr<const MediaFile>> open(const std::filesystem::path& path);
  /// `file`: complete; it is sealed against changes if it is in memory.
  [[nodiscard]] static Result<std::shared_ptr<const MediaFile>> take(Descriptor file);

  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override;
  /// The bytes from `offset` on: fewer than `size` only where the file ends.
  [[nodiscard]] Result<Bytes> bytes_at(std::uint64_t offset, std::size_t size) const;

 private:
  MediaFile(Descriptor file, std::uint64_t size) : file_(std::move(file)), size_(size) {}
  Descriptor file_;
  std::uint64_t size_;
};
using MediaFilePtr = std::shared_ptr<const MediaFile>;

/// A file in memory, empty, to be written by a child: what is in it reaches no disk. Errors: io.
[[nodiscard]] Result<Descriptor> memory_file();

}  // namespace usher::press
