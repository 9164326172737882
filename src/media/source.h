// media/source: sources and sinks, from which sealed objects are read and to which they are written.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/new_file.h"
#include "base/result.h"

namespace usher::media {

/// A known number of bytes that can be read at any offset. Thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  /// Bytes read: fewer than out.size() only where the source ends. Errors: io, not_permitted.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const = 0;
};
using SourcePtr = std::shared_ptr<const Source>;

/// A regular file, held open. Its size is the size at opening.
/// Errors: not_found, not_permitted, io; malformed, not a regular file.
[[nodiscard]] Result<SourcePtr> open_file(const std::filesystem::path& path);
[[nodiscard]] SourcePtr memory_source(Bytes bytes);
/// `size` bytes of `whole` from `offset`. Errors: truncated, `whole` is too short.
[[nodiscard]] Result<SourcePtr> part_of(SourcePtr whole, std::uint64_t offset, std::uint64_t size);

/// Takes bytes in order.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Errors: disk_full, io.
  [[nodiscard]] virtual Result<> write(View bytes) = 0;
};

class MemorySink final : public Sink {
 public:
  [[nodiscard]] Result<> write(View more) override {
    append(bytes, more);
    return {};
  }
  Bytes bytes;
};

/// Writes to a NewFile, beginning at `offset`. Borrows the file.
class FileSink final : public Sink {
 public:
  explicit FileSink(const NewFile& file, std::uint64_t offset = 0) : file_(&file), offset_(offset) {}
  [[nodiscard]] Result<> write(View bytes) override;
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

 private:
  const NewFile* file_;
  std::uint64_t offset_;
};

}  // namespace usher::media
