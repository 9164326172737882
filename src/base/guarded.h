// base/guarded: a value that many threads read and a reload replaces.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace usher {

/// Thread-safe. Readers keep the value that they got, even if it is replaced meanwhile.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }
  void set(std::shared_ptr<const T> value) {
    const std::scoped_lock lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace usher
