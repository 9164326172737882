// media/source: where sealed objects are read from and written to.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::media {

/// Bytes of a known number, read anywhere. Thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  /// Bytes read: fewer than out.size() only where the source ends. Errors: io, not_permitted.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const = 0;
};
using SourcePtr = std::shared_ptr<const Source>;

/// A regular file, held open. Its size is what it was at opening.
/// Errors: not_found, not_permitted, io; malformed, not a regular file.
[[nodiscard]] Result<SourcePtr> open_file(const std::filesystem::path& path);
[[nodiscard]] SourcePtr memory_source(Bytes bytes);
/// `size` bytes of `whole` from `offset`. Errors: truncated, `whole` does not reach that far.
[[nodiscard]] Result<SourcePtr> part_of(SourcePtr whole, std::uint64_t offset, std::uint64_t size);

/// Bytes one after the other.
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

/// Whether a file that is there already may give way to a new one.
enum class Replace : std::uint8_t { no, yes };

/// A file that comes into being whole or not at all: written under a temporary name, published at the end.
/// A temporary file that is left by a crash is not locked, and remove_leftovers() takes it away.
class NewFile {
 public:
  /// In the directory that `path` is to be in; mode 0600. Errors: not_found, not_permitted, disk_full, io.
  [[nodiscard]] static Result<NewFile> create(const std::filesystem::path& path);
  /// Under a temporary name of the caller's choice, beside `path`. Errors: as create; already_exists.
  [[nodiscard]] static Result<NewFile> create_as(const std::filesystem::path& path,
                                                 const std::filesystem::path& temporary);
  /// Takes up what keep() left under that name. Errors: not_found, io; not_permitted, somebody else's or another name
  /// of some file; malformed, not a regular file; busy, another process writes it.
  [[nodiscard]] static Result<NewFile> take_up(const std::filesystem::path& path,
                                               const std::filesystem::path& temporary);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();  // removes what was not published

  /// Asks for room early, so that a full disk is told before the work. Errors: disk_full, io.
  [[nodiscard]] Result<> reserve(std::uint64_t size) const;
  /// Errors: disk_full, io.
  [[nodiscard]] Result<> write_at(std::uint64_t offset, View bytes) const;
  /// To disk, under its name, and the directory too. Errors: already_exists; disk_full, io: nothing is left.
  [[nodiscard]] Result<> publish(Replace replace = Replace::no);
  /// Leaves the temporary file where it is. It is closed, and no longer locked, when this object goes.
  void keep() noexcept { temporary_.clear(); }

 private:
  NewFile(int descriptor, std::filesystem::path path, std::filesystem::path temporary)
      : descriptor_(descriptor), path_(std::move(path)), temporary_(std::move(temporary)) {}
  int descriptor_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
};

/// Writes to a NewFile from `offset` on. Borrows the file.
class FileSink final : public Sink {
 public:
  explicit FileSink(const NewFile& file, std::uint64_t offset = 0) : file_(&file), offset_(offset) {}
  [[nodiscard]] Result<> write(View bytes) override;
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

 private:
  const NewFile* file_;
  std::uint64_t offset_;
};

/// Removes a file, to disk. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_file(const std::filesystem::path& path);

/// Removes temporary files of NewFile that no process is writing. Errors: not_found, not_permitted, io.
[[nodiscard]] Result<> remove_leftovers(const std::filesystem::path& directory);

}  // namespace usher::media
