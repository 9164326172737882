// crypto/secret: secret bytes that are wiped, and comparison in constant time.
#pragma once

#include <utility>

#include "base/bytes.h"

namespace usher::crypto {

/// Wipes a buffer in a way that the compiler does not remove.
void wipe(MutableView bytes) noexcept;

/// Whether two byte strings are equal, in a time that depends only on their lengths.
[[nodiscard]] bool equal_constant_time(View a, View b) noexcept;

/// Key material, PINs, passphrases. Move-only, without == and <<; wiped when destroyed or assigned to.
/// `expose()` and `expose_for_writing()` are the only access: grep for them to audit.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : bytes_(size) {}
  ~Secret() { clear(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      clear();
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }

  [[nodiscard]] static Secret copy_of(View bytes) {
    Secret secret;
    secret.bytes_.assign(bytes.begin(), bytes.end());
    return secret;
  }
  /// Takes ownership of the bytes; the caller's vector is empty afterwards.
  [[nodiscard]] static Secret take(Bytes&& bytes) {
    Secret secret;
    secret.bytes_ = std::exchange(bytes, {});
    return secret;
  }
  /// A copy, for code that needs two owners.
  [[nodiscard]] Secret clone() const { return copy_of(bytes_); }

  [[nodiscard]] View expose() const noexcept { return bytes_; }
  [[nodiscard]] MutableView expose_for_writing() noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Keeps the first `size` bytes, wipes the rest. Never grows.
  void truncate(std::size_t size) noexcept;
  void clear() noexcept;

 private:
  Bytes bytes_;
};

}  // namespace usher::crypto
