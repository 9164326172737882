// net/workers: threads for what may block or take long, so that no event loop waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace usher::net {

struct WorkerLimits {
  unsigned threads = 2;
  std::size_t jobs = 1'024;               // that run or wait, of all owners
  std::size_t jobs_of_one = 1'024;        // the same, of one owner
  std::size_t at_once = ~std::size_t{0};  // jobs of one owner that run at the same time
};

/// Owners take turns: many jobs of one owner delay the first job of another by one step. Thread-safe.
class Workers {
 public:
  /// A piece of a job. Returns whether there is more to do; the rest has its turn after the other owners'.
  using Step = std::function<bool()>;

  explicit Workers(const WorkerLimits& limits);
  ~Workers();  // stops
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `owner`: for whom the job is done. Errors: server_busy, too many jobs; cancelled, stop() was called.
  [[nodiscard]] Result<> run(const std::string& owner, Step step);
  /// That run or wait.
  [[nodiscard]] std::size_t jobs() const;
  /// Waits for the steps that run; drops what waits.
  void stop();

 private:
  struct Owner {
    std::deque<Step> jobs;  // that wait
    std::size_t running = 0;
    bool in_line = false;  // in line_
  };
  using Owners = std::map<std::string, Owner>;

  void work();
  void line_up(Owners::iterator owner);
  /// Takes its next job. The lock is held.
  [[nodiscard]] Step take(Owners::iterator owner);
  /// `step`: what is left to do, if anything. The lock is held.
  void put_back(Owners::iterator owner, Step step);

  const WorkerLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Owners owners_;
  std::deque<Owners::iterator> line_;  // who has a job that may run, in the order of their turns
  std::size_t jobs_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace usher::net
