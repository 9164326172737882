#include "server/runtime/workers.h"

#include <utility>

namespace usher::server {

Workers::Workers(const WorkerLimits& limits) : limits_(limits) {
  for (unsigned i = 0; i < limits.threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() { stop(); }

std::size_t Workers::jobs() const {
  const std::scoped_lock lock(mutex_);
  return jobs_;
}

void Workers::line_up(Owners::iterator owner) {
  Owner& o = owner->second;
  if (o.in_line || o.jobs.empty() || o.running >= limits_.at_once) return;
  o.in_line = true;
  line_.push_back(owner);
  changed_.notify_one();
}

Result<> Workers::run(const std::string& owner, Step step) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) return fail(Fault::cancelled, "workers");
  if (jobs_ >= limits_.jobs) return fail(Fault::server_busy, "workers: jobs");
  const auto at = owners_.try_emplace(owner).first;
  if (at->second.jobs.size() + at->second.running >= limits_.jobs_of_one) {
    return fail(Fault::server_busy, "workers: jobs of one");
  }
  at->second.jobs.push_back(std::move(step));
  ++jobs_;
  line_up(at);
  return {};
}

Workers::Step Workers::take(Owners::iterator owner) {
  Owner& o = owner->second;
  o.in_line = false;
  Step step = std::move(o.jobs.front());
  o.jobs.pop_front();
  ++o.running;
  line_up(owner);
  return step;
}

void Workers::put_back(Owners::iterator owner, Step step) {
  Owner& o = owner->second;
  --o.running;
  if (step) {
    o.jobs.push_front(std::move(step));
  } else {
    --jobs_;
  }
  line_up(owner);
  if (o.jobs.empty() && o.running == 0) owners_.erase(owner);
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !line_.empty(); });
    if (stopping_) return;
    const auto owner = line_.front();
    line_.pop_front();
    Step step = take(owner);
    lock.unlock();
    const bool more = step();
    if (!more) step = nullptr;  // destroyed without the lock: destructors of its captures may take the lock
    lock.lock();
    if (step && stopping_) {
      lock.unlock();
      step = nullptr;
      lock.lock();
    }
    put_back(owner, std::move(step));
  }
}

void Workers::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  threads_.clear();
  line_.clear();
  for (auto& [name, owner] : std::exchange(owners_, {})) owner.jobs.clear();
}

}  // namespace usher::server
