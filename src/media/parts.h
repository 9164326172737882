// media/parts: the parts of a medium that are not played, as a sequence of sealed objects.  Spec: release.md §4,
// sealed.md §6.2.
//
//   for each part of the manifest, in its order:  size u32 ‖ sealed object of that size, id = the part's `object`
#pragma once

#include "media/manifest.h"

namespace usher::media {

inline constexpr std::size_t kMaxSealedParts = 8 << 20;  // bytes; kMaxParts covers and their headers fit

/// The plaintexts, sealed for one recipient. Errors: release_mismatch, they differ from the manifest; bad_key.
[[nodiscard]] Result<Bytes> seal_parts(const std::vector<Part>& parts, const std::vector<Bytes>& plaintexts,
                                       const Wrapper& recipient, Random& random);

/// The sealed parts of a release or of a vault's file. Each one was opened and agrees with the manifest. Thread-safe.
class SealedParts {
 public:
  SealedParts() = default;
  /// Errors: malformed, truncated; as SealedObject::open; release_mismatch, size or hash differs.
  [[nodiscard]] static Result<SealedParts> open(const SourcePtr& source, const std::vector<Part>& parts,
                                                const Unwrapper& key);
  /// Reads and checks it again. Errors: not_found, there is no such part; chunk_damaged, io; release_mismatch.
  [[nodiscard]] Result<crypto::Secret> read(std::size_t index) const;
  /// Reads and checks all of them.
  [[nodiscard]] Result<> verify() const;
  /// The same parts for another recipient: headers are new, bodies are copied. Errors: as read; bad_key.
  [[nodiscard]] Result<Bytes> rewrap(const Wrapper& recipient, Random& random) const;

 private:
  std::vector<Part> parts_;
  std::vector<SealedObject> objects_;  // one for each of parts_
};

}  // namespace usher::media
