#include "client/play/play_memory.h"

#include <sys/mman.h>

#include "crypto/secret.h"

namespace usher::client {

Result<LockedBuffer> LockedBuffer::copy_of(View bytes) {
  LockedBuffer buffer;
  if (bytes.empty()) return buffer;
  void* pages = ::mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return fail(Fault::local, "locked buffer");
  // Both calls are best effort: few systems let every user lock much memory.
  static_cast<void>(::mlock(pages, bytes.size()));
  static_cast<void>(::madvise(pages, bytes.size(), MADV_DONTDUMP));
  buffer.start_ = static_cast<std::uint8_t*>(pages);
  buffer.size_ = bytes.size();
  std::ranges::copy(bytes, buffer.start_);
  return buffer;
}

LockedBuffer& LockedBuffer::operator=(LockedBuffer&& other) noexcept {
  if (this != &other) {
    clear();
    start_ = std::exchange(other.start_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void LockedBuffer::clear() noexcept {
  if (start_ == nullptr) return;
  crypto::wipe({start_, size_});
  ::munmap(start_, size_);
  start_ = nullptr;
  size_ = 0;
}

}  // namespace usher::client
