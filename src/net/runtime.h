// net/runtime: the event loop of the HTTP listeners. What blocks belongs to workers.h.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"

namespace usher::net {

/// An event loop with several threads. Nothing that runs on it may block.
class Runtime {
 public:
  struct Impl;

  /// threads: 0 takes one for every two processors, and two at least.
  explicit Runtime(unsigned threads);
  ~Runtime();  // stops
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void start();
  /// Ends the loop whatever is still going on, and waits for the threads.
  void stop();
  /// Runs `task` on one of the threads, again and again; never twice at once. Before start() or after.
  void every(Milliseconds period, std::function<void()> task);

  [[nodiscard]] unsigned threads() const noexcept;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace usher::net
