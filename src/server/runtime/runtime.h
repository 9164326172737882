// server/runtime/runtime: the event loop of the HTTP listeners. Blocking jobs run in workers.h.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"

namespace usher::server {

/// An event loop with several threads. Code that runs on it must not block.
class Runtime {
 public:
  struct Impl;

  /// `threads`: 0 means one for every two processors, at least two.
  explicit Runtime(unsigned threads);
  ~Runtime();  // stops
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void start();
  /// Ends the loop, even if operations are pending, and waits for the threads.
  void stop();
  /// Runs `task` on one of the threads, once per period, never twice at the same time. May be called before or after
  /// start().
  void every(Milliseconds period, std::function<void()> task);

  [[nodiscard]] unsigned threads() const noexcept;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::server
