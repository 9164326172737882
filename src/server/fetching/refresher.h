// server/fetching/refresher: schedules fetches: first, before data ends, and after failures.  Spec: identity.md §11.2.
//
// Knows only names and times. The user fetches the data of a name and decides how to use it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace usher::server {

/// Thread-safe. Its threads run from start() to stop().
class Refresher {
 public:
  struct Options {
    Seconds refresh{3'600};  // the longest time between two fetches of a name
    Seconds retry{30};       // delay after a failure; each further failure doubles it, up to `refresh`
  };
  /// Fetches the data of a name and puts it to use. Returns the time at which the data ends; Time::max(): never, it is
  /// not fetched again by itself. Called without a lock, by one thread at a time for each name.
  using Get = std::function<Result<Time>(const std::string& name, const std::stop_token& stop)>;

  /// References are borrowed.
  Refresher(Options options, const Clock& clock, Random& random) : options_(options), clock_(clock), random_(random) {}
  ~Refresher() { stop(); }
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  /// Adds a name, to be fetched at once and then regularly. A known name stays as it is.
  void add(const std::string& name);
  /// The same for a name whose data is known already and ends at `ends`.
  void add(const std::string& name, Time ends);
  /// Notes that a name is needed, and adds it if it is new. `lacking`: its current data is missing or not enough. It is
  /// then fetched at once, unless the last attempt failed. Returns true if the caller should retry soon: the last
  /// attempt did not fail, and a fetch is running or about to begin; or nothing is lacking, and a fetch succeeded less
  /// than 15 s ago, so that a handshake which began earlier has not seen its result. Before start() and after stop():
  /// false, without effect.
  [[nodiscard]] bool want(const std::string& name, bool lacking);
  /// Whether the last attempt failed.
  [[nodiscard]] bool has_failed(const std::string& name) const;
  /// Fetches a known name now; if a fetch is running, once more after it.
  void hasten(const std::string& name);
  /// Forgets the name unless it is being fetched. Returns true if the name is unknown now.
  bool forget(const std::string& name);

  void start(Get get);
  /// Requests a stop of running calls of Get, and waits for them.
  void stop();

 private:
  struct Entry {
    Time next{};     // when it is due
    Time arrived{};  // when it was last fetched successfully
    unsigned failures = 0;
    bool busy = false;
    bool again = false;  // hasten() was called during the running fetch
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  void wake();
  void run(const std::stop_token& stop);
  void work(std::unique_lock<std::mutex>& lock, const std::string& name, const std::stop_token& stop);
  void settle(Entry& entry, const Result<Time>& ends);
  [[nodiscard]] Entries::iterator first();
  [[nodiscard]] Time next_look(Time ends) const;
  [[nodiscard]] Milliseconds around(Milliseconds time, unsigned percent) const;

  const Options options_;
  const Clock& clock_;
  Random& random_;
  Get get_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Entries entries_;
  std::uint64_t changes_ = 0;  // counts changes to due times: sleeping threads then check again
  std::vector<std::jthread> threads_;
};

}  // namespace usher::server
