// net/revocation_keeper: fetches the revocation lists that certificates point to, ahead of need.  Spec: identity.md §11.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/random.h"
#include "net/fetch.h"
#include "net/log.h"
#include "net/metrics.h"
#include "net/revocation_cache.h"

namespace usher::net {

struct RevocationOptions {
  std::vector<std::string> urls{};  // wanted from the start, whatever certificates say
  Seconds refresh{3'600};           // a newer list is looked for at least so often
  Seconds retry{30};                // after a failure; doubled by each one more, up to `refresh`
  FetchLimits limits{.bytes = identity::kMaxCrl};
};

/// Thread-safe. Its threads run from start() to stop().
class RevocationKeeper {
 public:
  /// Whether a list may be used: it is not older than one that was seen (§4.4). Notes that it was seen.
  using Admit = std::function<Result<>(const identity::Crl& list)>;
  /// Everything that is in use from now on.
  using Publish = std::function<void(const std::vector<identity::Crl>& lists)>;
  /// References are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
    RevocationCache cache;
    Admit admit;
  };
  /// Knows at once what the cache holds.
  RevocationKeeper(RevocationOptions options, Parts parts);
  ~RevocationKeeper();  // stops
  RevocationKeeper(const RevocationKeeper&) = delete;
  RevocationKeeper& operator=(const RevocationKeeper&) = delete;

  [[nodiscard]] std::vector<identity::Crl> lists() const;
  /// Whose signatures on lists count, beside those of the paths that want() was told of.
  void trust(identity::Chain authorities);
  /// The lists that the server's own certificates point to: for listeners.
  void keep(const identity::Chain& own);
  /// `path` leads to a configured root, and its status is not known. Returns whether a list for it is on its way.
  [[nodiscard]] bool want(const identity::Chain& path);

  /// `publish` is called by one thread at a time, and after it those who asked are answered.
  void start(Publish publish, Metrics& metrics);
  void stop();

 private:
  struct Source {
    std::optional<identity::Crl> list{};
    identity::Chain issuers{};  // of the paths that asked
    Time next{};                // when it is due
    Time arrived{};             // when the list came
    unsigned failures = 0;      // since the last good answer
    bool busy = false;
  };
  using Sources = std::map<std::string, Source, std::less<>>;

  void run(const std::stop_token& stop);
  void work(std::unique_lock<std::mutex>& lock, const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<CachedList> get(const std::string& url, const identity::Chain& issuers,
                                       const std::optional<identity::Crl>& before, const std::stop_token& stop) const;
  /// Whether another list is in use now.
  [[nodiscard]] bool settle(const std::string& url, Source& source, const Result<CachedList>& got);
  void hasten_base(const identity::Crl& delta);
  void refuse(const std::string& url, Source& source, const Error& error);
  void add(const std::string& url, const identity::Chain& issuers);
  [[nodiscard]] Milliseconds around(Milliseconds time, unsigned percent) const;
  [[nodiscard]] Milliseconds until_next(const identity::Crl& list) const;
  [[nodiscard]] std::size_t bytes_kept() const;
  [[nodiscard]] Sources::iterator first();

  RevocationOptions options_;
  Parts p_;
  Publish publish_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  std::mutex publishing_;
  std::condition_variable_any wake_;
  Sources sources_;
  identity::Chain authorities_;
  std::vector<std::jthread> threads_;
};

}  // namespace usher::net
