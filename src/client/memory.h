// client/memory: where pieces of a recording are kept while they are played.
#pragma once

#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::client {

/// Pages of their own: kept out of the swap as far as the system lets us, out of core dumps, wiped when destroyed.
class LockedBuffer {
 public:
  LockedBuffer() = default;
  /// Copies. Errors: local (no memory).
  [[nodiscard]] static Result<LockedBuffer> copy_of(View bytes);
  LockedBuffer(LockedBuffer&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LockedBuffer& operator=(LockedBuffer&& other) noexcept;
  LockedBuffer(const LockedBuffer&) = delete;
  LockedBuffer& operator=(const LockedBuffer&) = delete;
  ~LockedBuffer() { clear(); }

  [[nodiscard]] View expose() const noexcept { return {start_, size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void clear() noexcept;

 private:
  std::uint8_t* start_ = nullptr;
  std::size_t size_ = 0;
};

using Piece = std::shared_ptr<const LockedBuffer>;

/// No core dumps, and no reading of this process's memory by others of the same user. For main(), first of all.
/// Errors: not_permitted.
[[nodiscard]] Result<> harden_process();

}  // namespace usher::client
