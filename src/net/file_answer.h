// net/file_answer: the bytes of an answer, one piece after the other.  Spec: filestream.md §4, §5.
#pragma once

#include <memory>
#include <optional>

#include "base/random.h"
#include "crypto/key.h"
#include "media/sealed.h"
#include "net/file_digests.h"

namespace usher::net {

/// Bytes of an open file.
struct FileRange {
  int descriptor;  // borrowed from the answer
  std::uint64_t offset;
  std::uint64_t size;  // bytes that are left
};

/// Used by one thread at a time; reads where the data is, so that it may wait for a disk.
class FileAnswer {
 public:
  virtual ~FileAnswer() = default;
  /// Fills some of `out`, at least one byte unless ended(). Errors: io; interrupted, what is read has changed.
  [[nodiscard]] virtual Result<std::size_t> read(MutableView out) = 0;
  /// What is left, where it is a file's bytes as they are: the kernel can read them by itself.
  [[nodiscard]] virtual std::optional<FileRange> range() const { return std::nullopt; }
  /// So many bytes of range() were sent.
  virtual void skip(std::uint64_t /*bytes*/) {}
  /// Whether all was read.
  [[nodiscard]] virtual bool ended() const noexcept = 0;
  /// Once it ended, before close_notify: whether all of it was of one state of the file (§4.1). Errors: interrupted.
  [[nodiscard]] virtual Result<> check() const = 0;
};
using FileAnswerPtr = std::unique_ptr<FileAnswer>;

/// From `offset` on. Errors: malformed (beyond its end).
[[nodiscard]] Result<FileAnswerPtr> answer_with_file(OpenedFilePtr file, std::uint64_t offset);
[[nodiscard]] FileAnswerPtr answer_with_text(std::string text);
/// A sealed object (§5), made while it is read. `random` is borrowed for this call. Errors: bad_key.
[[nodiscard]] Result<FileAnswerPtr> answer_sealed(OpenedFilePtr file, const Hash256& digest, media::Suite suite,
                                                  const crypto::PublicKey& recipient, Random& random);

}  // namespace usher::net
