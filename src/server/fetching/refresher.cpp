#include "server/fetching/refresher.h"

#include <algorithm>
#include <utility>

namespace usher::server {
namespace {

constexpr std::size_t kThreads = 4;         // so that a slow server does not delay the fetches from others
constexpr Milliseconds kAtLeast{1'000};     // between two fetches of a name
constexpr Milliseconds kIdle{60'000};       // between two looks at the clock while nothing is due
constexpr Milliseconds kHandshake{15'000};  // the longest time that a handshake takes
constexpr unsigned kMaxDoublings = 16;

}  // namespace

void Refresher::add(const std::string& name) { add(name, clock_.now()); }

void Refresher::add(const std::string& name, Time ends) {
  const std::scoped_lock lock(mutex_);
  if (entries_.contains(name)) return;
  entries_[name].next = ends <= clock_.now() ? clock_.now() : next_look(ends);
  wake();
}

bool Refresher::want(const std::string& name, bool lacking) {
  const std::scoped_lock lock(mutex_);
  if (threads_.empty()) return false;
  const Time now = clock_.now();
  Entry& entry = entries_.try_emplace(name, Entry{.next = now}).first->second;
  // After a failure the next attempt is made when it is due, not on every call.
  if (lacking && entry.failures == 0) entry.next = std::min(entry.next, now);
  wake();
  if (!lacking && now < entry.arrived + kHandshake) return true;
  // After a failure, callers should not retry and wait for each further attempt.
  return entry.failures == 0 && (entry.busy || (lacking && entry.next <= now));
}

bool Refresher::has_failed(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(name);
  return entry != entries_.end() && entry->second.failures > 0;
}

void Refresher::hasten(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return;
  entry->second.next = std::min(entry->second.next, clock_.now());
  entry->second.again = entry->second.busy;
  wake();
}

bool Refresher::forget(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return true;
  if (entry->second.busy) return false;
  entries_.erase(entry);
  return true;
}

void Refresher::start(Get get) {
  const std::scoped_lock lock(mutex_);
  get_ = std::move(get);
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

void Refresher::stop() {
  std::vector<std::jthread> threads;
  {
    const std::scoped_lock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::jthread& thread : threads) thread.request_stop();
}

/// mutex_ is held.
void Refresher::wake() {
  ++changes_;
  wake_.notify_all();
}

/// The entry that is due first and is not being fetched; end() if there is no such entry. mutex_ is held.
Refresher::Entries::iterator Refresher::first() {
  auto best = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!at->second.busy && (best == entries_.end() || at->second.next < best->second.next)) best = at;
  }
  return best;
}

void Refresher::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto next = first();
    const Time now = clock_.now();
    if (next != entries_.end() && next->second.next <= now) {
      work(lock, std::string(next->first), stop);
      continue;
    }
    const Milliseconds wait = next == entries_.end() ? kIdle : std::min(kIdle, next->second.next - now);
    wake_.wait_for(lock, stop, wait, [this, seen = changes_] { return changes_ != seen; });
  }
}

/// Releases the lock during the fetch. The entry stays valid, because a busy entry is never forgotten.
void Refresher::work(std::unique_lock<std::mutex>& lock, const std::string& name, const std::stop_token& stop) {
  Entry& entry = entries_.at(name);
  entry.busy = true;
  lock.unlock();
  const auto ends = get_(name, stop);
  lock.lock();
  settle(entry, ends);
  entry.busy = false;
  wake();
}

/// mutex_ is held.
void Refresher::settle(Entry& entry, const Result<Time>& ends) {
  const Time now = clock_.now();
  const bool again = std::exchange(entry.again, false);
  if (!ends) {
    const unsigned doublings = std::min(entry.failures++, kMaxDoublings);
    entry.next = now + around(std::min<Milliseconds>(options_.refresh, options_.retry * (1L << doublings)), 25);
    return;
  }
  entry.failures = 0;
  entry.arrived = now;
  entry.next = again ? now : next_look(*ends);
}

/// When to fetch again: well before the data ends, so that there is time for failed attempts.
Time Refresher::next_look(Time ends) const {
  if (ends == Time::max()) return Time::max();
  const Time now = clock_.now();
  const Milliseconds left = (ends - now) * 3 / 4;
  return now + std::max(kAtLeast, around(std::min<Milliseconds>(options_.refresh, left), 10));
}

/// `time` plus or minus a random part of up to `percent`, so that servers do not all fetch at once.
Milliseconds Refresher::around(Milliseconds time, unsigned percent) const {
  const auto random = random_.array<2>();
  const auto share = static_cast<std::int64_t>(random[0]) << 8 | random[1];  // of 65,536
  const std::int64_t width = time.count() * percent / 100;
  return Milliseconds(time.count() - width + 2 * width * share / 65'536);
}

}  // namespace usher::server
