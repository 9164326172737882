// client/play/play_memory: memory for pieces of a recording while it is played.
#pragma once

#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::client {

/// Memory pages of its own. Locked out of swap and left out of core dumps, as far as the system allows it; wiped when
/// destroyed.
class LockedBuffer {
 public:
  LockedBuffer() = default;
  /// Copies `bytes`. Errors: local (no memory).
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

}  // namespace usher::client
