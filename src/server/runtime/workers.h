// server/runtime/workers: a thread pool for jobs that may block or take long, so that event loops do not wait for them.
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

namespace usher::server {

struct WorkerLimits {
  unsigned threads = 2;
  std::size_t jobs = 1'024;               // that run or wait, of all owners together
  std::size_t jobs_of_one = 1'024;        // the same, of one owner
  std::size_t at_once = ~std::size_t{0};  // jobs of one owner that run at the same time
};

/// Owners take turns: many jobs of one owner delay the first job of another by only one step. Thread-safe.
class Workers {
 public:
  /// A piece of a job. Returns whether there is more to do; the rest has its turn after the other owners'.
  using Step = std::function<bool()>;

  explicit Workers(const WorkerLimits& limits);
  ~Workers();  // stops
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Queues a job. Jobs with the same `owner` share one turn. Errors: server_busy, too many jobs; cancelled, stop() was
  /// called.
  [[nodiscard]] Result<> run(const std::string& owner, Step step);
  /// The number of jobs that run or wait.
  [[nodiscard]] std::size_t jobs() const;
  /// Waits for running steps; drops waiting jobs.
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
  /// Takes the owner's next job. The lock is held.
  [[nodiscard]] Step take(Owners::iterator owner);
  /// `step`: what is left to do, if anything. The lock is held.
  void put_back(Owners::iterator owner, Step step);

  const WorkerLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Owners owners_;
  std::deque<Owners::iterator> line_;  // owners with a job that may run, in the order of their turns
  std::size_t jobs_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace usher::server
