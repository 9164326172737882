// server/fetching/crl_fetcher: fetches the revocation lists that certificates name, in advance.  Spec: identity.md §11.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "server/fetching/fetch.h"
#include "server/fetching/refresher.h"
#include "server/fetching/revocation_cache.h"
#include "server/runtime/log.h"
#include "server/runtime/metrics.h"

namespace usher::server {

struct RevocationOptions {
  std::vector<std::string> urls{};  // fetched from the start, even if no certificate points to them
  Refresher::Options refreshing{};
  FetchLimits limits{.bytes = pki::kMaxCrl};
};

/// Thread-safe. Its threads run from start() to stop().
class CrlFetcher {
 public:
  /// Succeeds if a list may be used: it is not older than one seen before (§4.4). Notes that it was seen.
  using Admit = std::function<Result<>(const pki::Crl& list)>;
  /// Called with all lists that are in use from now on.
  using Publish = std::function<void(const std::vector<pki::Crl>& lists)>;
  /// References are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
    RevocationCache cache;
    Admit admit;
  };
  /// Loads the cache.
  CrlFetcher(RevocationOptions options, Parts parts);
  ~CrlFetcher();  // stops
  CrlFetcher(const CrlFetcher&) = delete;
  CrlFetcher& operator=(const CrlFetcher&) = delete;

  [[nodiscard]] std::vector<pki::Crl> lists() const;
  /// Sets the authorities that may sign lists, in addition to those in the paths of want().
  void trust(pki::Chain authorities);
  /// Keeps the lists that the server's own certificates point to; listeners need them.
  void keep(const pki::Chain& own);
  /// True if a list of this authority may still be fetched: a path of want(), the configuration, or one of
  /// `certificates` that the authority issued points to a list, and fetching it has not failed yet.
  [[nodiscard]] bool may_bring(const pki::Certificate& authority, const pki::Chain& certificates) const;
  /// Requests the lists for `path`, which leads to a configured root and whose status is not known. Returns true if the
  /// caller should retry soon: a list for it is being fetched or has just arrived.
  [[nodiscard]] bool want(const pki::Chain& path);

  /// `publish` is called by one thread at a time. A fetch counts as ended only after `publish` has returned.
  void start(Publish publish, Metrics& metrics);
  /// Publishes the current lists again, because something else has changed that decides about certificates.
  void publish_again();
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    std::optional<pki::Crl> list{};
    pki::Chain issuers{};  // authorities in the paths that needed the list
    Time wanted{};         // when a path last needed the list
    bool pinned = false;   // configured, or of the server's own certificates: never evicted
  };
  using Sources = std::map<std::string, Source, std::less<>>;

  [[nodiscard]] Result<Time> refresh(const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<CachedList> get(const std::string& url, const std::stop_token& stop) const;
  /// Puts a fetched list to use. True if it differs from the list in use before. Errors: too_long.
  [[nodiscard]] Result<bool> settle(const CachedList& got);
  void hasten_base(const pki::Crl& delta);
  void refuse(const std::string& url, const Error& error);
  [[nodiscard]] bool add(const std::string& url, const pki::Chain& issuers);
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::size_t bytes_kept() const;

  RevocationOptions options_;
  Parts p_;
  Publish publish_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  std::mutex publishing_;
  Sources sources_;
  pki::Chain authorities_;
  Refresher refresher_;  // its threads use the other members: it must be destroyed first
};

}  // namespace usher::server
