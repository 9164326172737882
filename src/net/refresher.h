// net/refresher: what has to be fetched, and again before it ends: when, how often, and by whom.  Spec: identity.md §11.2.
//
// Knows names and times alone; what is behind a name, and what becomes of it, is its user's business.
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

namespace usher::net {

/// Thread-safe. Its threads run from start() to stop().
class Refresher {
 public:
  struct Options {
    Seconds refresh{3'600};  // a newer one is looked for at least so often
    Seconds retry{30};       // after a failure; doubled by each one more, up to `refresh`
  };
  /// Fetches what is behind a name and puts it to use; when that ends (Time::max(): never, and it is not looked for again).
  /// Called without a lock, by one thread at a time for each name.
  using Get = std::function<Result<Time>(const std::string& name, const std::stop_token& stop)>;

  /// References are borrowed.
  Refresher(Options options, const Clock& clock, Random& random) : options_(options), clock_(clock), random_(random) {}
  ~Refresher() { stop(); }
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  /// From now on it is looked for: at once. A name that is known stays as it is.
  void add(const std::string& name);
  /// The same of one that is at hand, and ends then.
  void add(const std::string& name, Time ends);
  /// It is asked for; `lacking`: what is at hand is not enough. Whether asking again soon makes sense: it is on its way, and
  /// the last attempt did not fail, or came so lately that whoever began before has not seen it.
  [[nodiscard]] bool want(const std::string& name, bool lacking);
  /// Whether the last attempt failed.
  [[nodiscard]] bool has_failed(const std::string& name) const;
  /// Of a name that is known: now.
  void hasten(const std::string& name);
  /// Unless it is being fetched. Whether it is forgotten now.
  bool forget(const std::string& name);

  void start(Get get);
  /// Running calls of Get are told to stop, and waited for.
  void stop();

 private:
  struct Entry {
    Time next{};     // when it is due
    Time arrived{};  // when it last came
    unsigned failures = 0;
    bool busy = false;
    bool again = false;  // hastened meanwhile
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
  std::uint64_t changes_ = 0;  // of what is due when: whoever sleeps looks again
  std::vector<std::jthread> threads_;
};

}  // namespace usher::net
