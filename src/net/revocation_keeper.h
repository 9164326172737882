// net/revocation_keeper: fetches the revocation lists that certificates point to, ahead of need.  Spec: identity.md §11.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "net/fetch.h"
#include "net/log.h"
#include "net/metrics.h"
#include "net/refresher.h"
#include "net/revocation_cache.h"

namespace usher::net {

struct RevocationOptions {
  std::vector<std::string> urls{};  // wanted from the start, whatever certificates say
  Refresher::Options refreshing{};
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
  /// Whether a list of this authority may still come: a path, the configuration, or one of these certificates, which the
  /// authority issued, points to one, and it was not sought in vain.
  [[nodiscard]] bool may_bring(const identity::Certificate& authority, const identity::Chain& certificates) const;
  /// `path` leads to a configured root, and its status is not known. Returns whether a list for it is on its way.
  [[nodiscard]] bool want(const identity::Chain& path);

  /// `publish` is called by one thread at a time, and after it those who asked are answered.
  void start(Publish publish, Metrics& metrics);
  /// Publishes what is at hand once more: something else has changed by which people are judged.
  void publish_again();
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    std::optional<identity::Crl> list{};
    identity::Chain issuers{};  // of the paths that asked
    Time wanted{};              // when a path last asked
    bool pinned = false;        // configured, or of the server's own certificates: it stays
  };
  using Sources = std::map<std::string, Source, std::less<>>;

  [[nodiscard]] Result<Time> refresh(const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<CachedList> get(const std::string& url, const std::stop_token& stop) const;
  /// Whether another list is in use now. Errors: too_long.
  [[nodiscard]] Result<bool> settle(const CachedList& got);
  void hasten_base(const identity::Crl& delta);
  void refuse(const std::string& url, const Error& error);
  [[nodiscard]] bool add(const std::string& url, const identity::Chain& issuers);
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::size_t bytes_kept() const;

  RevocationOptions options_;
  Parts p_;
  Publish publish_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  std::mutex publishing_;
  Sources sources_;
  identity::Chain authorities_;
  Refresher refresher_;  // calls back: ends first
};

}  // namespace usher::net
