// server/files/file_answer: produces the bytes of an answer, piece by piece.  Spec: filestream.md §4, §5.
#pragma once

#include <memory>
#include <optional>

#include "base/random.h"
#include "crypto/key.h"
#include "media/sealed.h"
#include "server/files/file_digests.h"

namespace usher::server {

/// A range of an open file.
struct FileRange {
  int descriptor;  // borrowed from the answer
  std::uint64_t offset;
  std::uint64_t size;  // remaining bytes
};

/// Used by one thread at a time. Reads directly from the file or medium, so it may wait for a disk.
class FileAnswer {
 public:
  virtual ~FileAnswer() = default;
  /// Fills part of `out`: at least one byte unless ended(). Errors: io; interrupted, the file has changed.
  [[nodiscard]] virtual Result<std::size_t> read(MutableView out) = 0;
  /// The remaining bytes, if they are plain bytes of a file, which the kernel can read itself; else nullopt.
  [[nodiscard]] virtual std::optional<FileRange> range() const { return std::nullopt; }
  /// Skips the first `bytes` of range(): they were sent.
  virtual void skip(std::uint64_t /*bytes*/) {}
  /// True once all bytes were read.
  [[nodiscard]] virtual bool ended() const noexcept = 0;
  /// To call after ended() and before close_notify: fails if the file changed while it was read (§4.1).
  /// Errors: interrupted; io.
  [[nodiscard]] virtual Result<> check() const = 0;
};
using FileAnswerPtr = std::unique_ptr<FileAnswer>;

/// The file from `offset` to its end. Errors: malformed (`offset` is beyond the end).
[[nodiscard]] Result<FileAnswerPtr> answer_with_file(OpenedFilePtr file, std::uint64_t offset);
[[nodiscard]] FileAnswerPtr answer_with_text(std::string text);
/// A sealed object (§5), which is sealed while it is read. `random` is borrowed for this call. Errors: bad_key.
[[nodiscard]] Result<FileAnswerPtr> answer_sealed(OpenedFilePtr file, const Hash256& digest, media::Suite suite,
                                                  const crypto::PublicKey& recipient, Random& random);

}  // namespace usher::server
